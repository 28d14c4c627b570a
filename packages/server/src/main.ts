/** The `tyto` command. */
import { nearestName, TytoError } from '@tyto/base';
import { check } from './cli/check.ts';
import { describeFlags, START_FLAGS } from './cli/flags.ts';
import { start } from './cli/start.ts';
import { tsdb } from './cli/tsdb.ts';
import { VERSION } from './version.ts';

const HELP = `Tyto ${VERSION}: metrics, alerts and dashboards of a software system in one process.

Usage:
  tyto [start] [flags]           watch, store, alert, serve http://localhost:9090
  tyto check config FILE...      check prometheus.yml, tyto.yaml, alertmanager.yml and rule files
  tyto check rules FILE...       check rule files; both take --enable-feature as start does
  tyto tsdb COMMAND ...          list, dump, verify, import and export data; see tyto tsdb --help
  tyto --help, tyto --version

Without a file, Tyto watches the machine that it runs on and itself.

Examples:
  tyto start
  tyto start --config.file=prometheus.yml --alertmanager.config.file=alertmanager.yml
  tyto start --web.listen-address=0.0.0.0:9090 --storage.tsdb.path=/var/lib/tyto

Flags of start:
${describeFlags(START_FLAGS)}
`;

const COMMANDS = ['start', 'check', 'tsdb', 'help', 'version'];

async function main(args: readonly string[]): Promise<void> {
  const [command = 'start', ...rest] = args;
  if (command === 'tsdb') {
    await tsdb(rest);
  } else if (args.includes('--help') || args.includes('-h') || command === 'help') {
    process.stdout.write(HELP);
  } else if (args.includes('--version') || command === 'version') {
    process.stdout.write(`tyto ${VERSION}\n`);
  } else if (command.startsWith('-')) {
    await start(args);
  } else if (command === 'start') {
    await start(rest);
  } else if (command === 'check') {
    await check(rest);
  } else {
    const nearest = nearestName(command, COMMANDS);
    const hint = nearest === undefined ? 'see tyto --help' : `did you mean tyto ${nearest}?`;
    throw new TytoError('bad_data', `unknown command "${command}"; ${hint}`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // What the user can mend is told in a line; a mistake of ours with its trace.
  const known = error instanceof TytoError;
  const shown = known
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`tyto: ${shown}\n`);
  process.exit(1);
});
