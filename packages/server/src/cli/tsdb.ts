/** `tyto tsdb …`: tools for data directories, Tyto's and Prometheus'. See docs/tsdb-tools.md. */
import { randomBytes } from 'node:crypto';
import { nearestName, systemClock, TytoError } from '@tyto/base';
import type { Damage } from '@tyto/promblock';
import { parseSelector } from '@tyto/syntax';
import { describeFlags, type FlagDefinition, type Flags, parseFlags } from './flags.ts';
import { analyze } from './tsdb/analyze.ts';
import type { ImportedBlock } from './tsdb/blockImport.ts';
import { dump } from './tsdb/dump.ts';
import { createBlocksFrom } from './tsdb/createBlocksFrom.ts';
import type { Call, TsdbCommand } from './tsdb/command.ts';
import { exportBlocks } from './tsdb/export.ts';
import { importOpenmetrics } from './tsdb/importOpenmetrics.ts';
import { importPrometheus } from './tsdb/importPrometheus.ts';
import { listBlocks } from './tsdb/list.ts';
import { Output } from './tsdb/output.ts';
import { verify } from './tsdb/verify.ts';

const DIRECTORY_DEFAULT = 'data/';

const RANGE_FLAGS: readonly FlagDefinition[] = [
  { name: 'min-time', kind: 'text', fallback: '', help: 'The oldest time, in milliseconds.' },
  { name: 'max-time', kind: 'text', fallback: '', help: 'The newest time, in milliseconds.' },
];

const MATCH_HELP =
  '  --match=<selector>  Only series that it selects; given several times, that any selects.';

const COMMANDS: Readonly<Record<string, TsdbCommand>> = {
  list: {
    usage: 'list [-r] [DIRECTORY]',
    help: 'Lists the blocks. Works while Tyto runs.',
    flags: [
      {
        name: 'human-readable',
        kind: 'boolean',
        fallback: 'false',
        help: 'Times and sizes for people; -r for short.',
      },
    ],
    wordsMin: 0,
    wordsMax: 1,
    takesMatchers: false,
    run: ({ flags, words, output, report }) =>
      listBlocks(directoryOf(words[0]), flags.get('human-readable') === 'true', output, report),
  },
  analyze: {
    usage: 'analyze [--limit=20] [DIRECTORY] [BLOCK]',
    help: 'Tells which labels make a block large: churn, cardinality, sizes of chunks.',
    flags: [
      { name: 'limit', kind: 'number', fallback: '20', help: 'How many lines each list has.' },
    ],
    wordsMin: 0,
    wordsMax: 2,
    takesMatchers: false,
    run: ({ flags, words, output, report }) =>
      analyze(directoryOf(words[0]), words[1], Number(flags.get('limit')), output, report),
  },
  dump: dumpCommand('dump', 'plain', 'Writes samples as lines "{labels} value milliseconds".'),
  'dump-openmetrics': dumpCommand('dump-openmetrics', 'openmetrics', 'Writes OpenMetrics.'),
  verify: {
    usage: 'verify [DIRECTORY]',
    help: 'Reads all blocks and logs. Names damage by file and offset, and exits with 1 for any.',
    flags: [],
    wordsMin: 0,
    wordsMax: 1,
    takesMatchers: false,
    run: ({ words, output, report }) => verify(directoryOf(words[0]), output, report),
  },
  import: {
    usage:
      'import [--overlap] prometheus FROM [DIRECTORY]\n' +
      '  tyto tsdb import [--overlap] openmetrics FILE [DIRECTORY]',
    help: 'Writes blocks of Tyto from data of Prometheus, or from samples of any age.',
    flags: [
      {
        name: 'overlap',
        kind: 'boolean',
        fallback: 'false',
        help: 'Import beside data of the same time; where both have a sample, the older one stays.',
      },
    ],
    wordsMin: 2,
    wordsMax: 3,
    takesMatchers: false,
    run: runImport,
  },
  'create-blocks-from': createBlocksFrom,
  export: {
    usage: 'export [--min-time=…] [--max-time=…] [--match=…] DIRECTORY TARGET',
    help: 'Writes blocks that Prometheus reads, one for two hours.',
    flags: RANGE_FLAGS,
    wordsMin: 2,
    wordsMax: 2,
    takesMatchers: true,
    run: runExport,
  },
};

/** Rejects with TytoError `bad_data` for a wrong call, and `io` where data was damaged. */
export async function tsdb(args: readonly string[]): Promise<void> {
  const [name = '', ...rest] = args;
  const isHelp = args.includes('--help') || args.includes('-h');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    if (isHelp || name === '' || name === 'help') {
      process.stdout.write(overview());
      return;
    }
    const nearest = nearestName(name, Object.keys(COMMANDS));
    const hint = nearest === undefined ? 'see tyto tsdb --help' : `did you mean ${nearest}?`;
    throw new TytoError('bad_data', `tyto tsdb: unknown command "${name}"; ${hint}`);
  }
  if (isHelp) {
    process.stdout.write(describe(command));
    return;
  }
  await runCommand(name, command, rest);
}

async function runCommand(
  name: string,
  command: TsdbCommand,
  args: readonly string[],
): Promise<void> {
  const { matchers, others } = takeMatchers(args, command.takesMatchers);
  const short = others.map((arg) => (arg === '-r' ? '--human-readable' : arg));
  const { flags, rest } = parseFlags(short, command.flags);
  if (rest.length < command.wordsMin || rest.length > command.wordsMax) {
    throw new TytoError('bad_data', `usage: tyto tsdb ${command.usage}`);
  }
  const output = new Output();
  const damages = new Set<string>();
  const report = ({ file, offset, what }: Damage) => {
    const text = `${file}: at byte ${offset}: ${what}`;
    // What is read for several blocks is met several times.
    if (damages.has(text)) return;
    damages.add(text);
    process.stderr.write(`${text}\n`);
  };
  const matcherSets = matchers.map((text) => parseSelector(text));
  try {
    await command.run({ flags, words: rest, matcherSets, output, report });
    await output.flush();
  } catch (error) {
    // As after `| head`: who stopped reading needs no message.
    if (!output.isClosed) throw error;
    process.exitCode = 1;
    return;
  }
  if (damages.size === 0) return;
  const places = damages.size === 1 ? 'one place' : `${damages.size} places`;
  throw new TytoError('io', `tsdb ${name}: damage in ${places}, named above; the rest was read`);
}

function dumpCommand(name: string, format: 'plain' | 'openmetrics', help: string): TsdbCommand {
  return {
    usage: `${name} [--min-time=…] [--max-time=…] [--match=…] [DIRECTORY]`,
    help,
    flags: RANGE_FLAGS,
    wordsMin: 0,
    wordsMax: 1,
    takesMatchers: true,
    run: ({ flags, words, matcherSets, output, report }) =>
      dump(
        { directory: directoryOf(words[0]), ...rangeOf(flags), matcherSets, format },
        output,
        report,
      ),
  };
}

async function runImport({ flags, words, output, report }: Call): Promise<void> {
  const [kind, from, word] = words;
  const directory = directoryOf(word);
  const overlaps = flags.get('overlap') === 'true';
  const done = (block: ImportedBlock) =>
    output.line(`${block.directory}: ${block.sampleCount} samples`);
  if (kind === 'prometheus') await importPrometheus(from, directory, overlaps, done, report);
  else if (kind === 'openmetrics') await importOpenmetrics(from, directory, overlaps, done);
  else {
    const nearest = nearestName(kind, ['prometheus', 'openmetrics']);
    const hint = nearest ?? 'prometheus or openmetrics';
    throw new TytoError('bad_data', `tyto tsdb import: unknown kind "${kind}"; write ${hint}`);
  }
}

async function runExport({ flags, words, matcherSets, output, report }: Call): Promise<void> {
  const request = {
    directory: words[0],
    target: words[1],
    ...rangeOf(flags),
    matcherSets,
    nowMs: () => systemClock.nowMs(),
    random: (count: number) => randomBytes(count),
  };
  const done = (block: { readonly ulid: string; readonly sampleCount: number }) =>
    output.line(`${block.ulid}: ${block.sampleCount} samples`);
  await exportBlocks(request, done, report);
}

/** `--match` may be given several times, which other flags may not. */
function takeMatchers(
  args: readonly string[],
  isAllowed: boolean,
): { matchers: string[]; others: string[] } {
  const matchers: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const match = /^--match(?:=(.*))?$/s.exec(args[i]);
    if (match === null || !isAllowed) others.push(args[i]);
    else {
      const text = match[1] ?? args[++i];
      if (text === undefined) throw new TytoError('bad_data', '--match needs a value');
      matchers.push(text);
    }
  }
  return { matchers, others };
}

function rangeOf(flags: Flags): { minTimeMs: number; maxTimeMs: number } {
  return {
    minTimeMs: timeOf(flags, 'min-time', -Infinity),
    maxTimeMs: timeOf(flags, 'max-time', Infinity),
  };
}

function timeOf(flags: Flags, name: string, fallback: number): number {
  const text = flags.get(name) ?? '';
  if (text === '') return fallback;
  if (!/^-?\d+$/.test(text)) {
    throw new TytoError('bad_data', `--${name}: "${text}" is no time in milliseconds`);
  }
  return Number(text);
}

function directoryOf(word: string | undefined): string {
  return word ?? DIRECTORY_DEFAULT;
}

function overview(): string {
  const lines = Object.values(COMMANDS).map(
    ({ usage, help }) => `  tyto tsdb ${usage}\n      ${help}`,
  );
  return `Tools for data directories, Tyto's and Prometheus'.

${lines.join('\n')}

A directory that is left out is ${DIRECTORY_DEFAULT}. tyto tsdb COMMAND --help tells the flags.
`;
}

function describe({ usage, help, flags, takesMatchers }: TsdbCommand): string {
  const shown = flags.length === 0 ? [] : [describeFlags(flags)];
  if (takesMatchers) shown.push(MATCH_HELP);
  const list = shown.length === 0 ? '' : `\nFlags:\n${shown.join('\n')}\n`;
  return `Usage:\n  tyto tsdb ${usage}\n\n${help}\n${list}`;
}
