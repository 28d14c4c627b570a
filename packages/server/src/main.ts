/** The `tyto` command. */
import { nearestName, TytoError } from '@tyto/base';
import { check } from './cli/check.ts';
import { promql } from './cli/promql.ts';
import { push } from './cli/push.ts';
import { query } from './cli/query.ts';
import { describeFlags, START_FLAGS } from './cli/flags.ts';
import { start } from './cli/start.ts';
import { test } from './cli/test.ts';
import { tsdb } from './cli/tsdb.ts';
import { VERSION } from './version.ts';

const HELP = `Tyto ${VERSION}: metrics, alerts and dashboards of a software system in one process.

Usage:
  tyto [start] [flags]           watch, store, alert, serve http://localhost:9090
  tyto check config FILE...      check prometheus.yml, tyto.yaml, alertmanager.yml and rule files
  tyto check rules [FILE...]     check rule files; see tyto check --help
  tyto test rules FILE...        run unit tests of rules
  tyto query COMMAND SERVER ...  ask a server: instant, range, series, labels, analyze
  tyto promql COMMAND ...        format expressions, change their matchers
  tyto push metrics URL          send metrics to a remote write endpoint
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

/** Commands with commands, and help, of their own. */
const GROUPS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  check,
  promql,
  push,
  query,
  test,
  tsdb,
};

const COMMANDS = ['start', ...Object.keys(GROUPS), 'help', 'version'];

async function main(args: readonly string[]): Promise<void> {
  const [command = 'start', ...rest] = args;
  if (Object.hasOwn(GROUPS, command)) {
    await GROUPS[command](rest);
  } else if (args.includes('--help') || args.includes('-h') || command === 'help') {
    process.stdout.write(HELP);
  } else if (args.includes('--version') || command === 'version') {
    process.stdout.write(`tyto ${VERSION}\n`);
  } else if (command.startsWith('-')) {
    await start(args);
  } else if (command === 'start') {
    await start(rest);
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
