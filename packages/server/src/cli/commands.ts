/** Commands with commands of their own, such as `tyto check rules`: calls, help, mistyped names. */
import { errorCode, nearestName, TytoError } from '@tyto/base';
import { describeFlags, type FlagDefinition, type Flags, parseFlags } from './flags.ts';

export interface CommandCall {
  readonly flags: Flags;
  /** What is no flag, in order. */
  readonly words: readonly string[];
  /** The value of a flag; every flag has one. */
  text(flag: string): string;
  isSet(flag: string): boolean;
  /** All values of a flag that may be given several times. */
  all(flag: string): readonly string[];
}

export interface Command {
  /** What follows the name of the command. */
  readonly usage: string;
  readonly help: string;
  readonly flags: readonly FlagDefinition[];
  readonly wordsMin: number;
  readonly wordsMax: number;
  /** Resolves to the exit code. Rejects with TytoError, which is printed and ends with 1. */
  run(call: CommandCall): Promise<number>;
}

/** Runs one of `commands`, with the exit code that it resolves to. Rejects with TytoError. */
export async function runCommands(
  program: string,
  about: string,
  commands: Readonly<Record<string, Command>>,
  args: readonly string[],
): Promise<void> {
  const [name = '', ...rest] = args;
  const isHelp = args.includes('--help') || args.includes('-h');
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    if (isHelp || name === '' || name === 'help') {
      process.stdout.write(overview(program, about, commands));
      return;
    }
    const nearest = nearestName(name, Object.keys(commands));
    const hint = nearest === undefined ? `see tyto ${program} --help` : `did you mean ${nearest}?`;
    throw new TytoError('bad_data', `tyto ${program}: unknown command "${name}"; ${hint}`);
  }
  if (isHelp) {
    process.stdout.write(describe(program, name, command));
    return;
  }
  const { flags, values, rest: words } = parseFlags(rest, command.flags);
  process.stdout.on('error', (error) => {
    if (errorCode(error) !== 'EPIPE') throw error;
    // As after `| head`: who stopped reading needs no message.
    process.exit(1);
  });
  if (words.length < command.wordsMin || words.length > command.wordsMax) {
    throw new TytoError('bad_data', `usage: tyto ${program} ${name} ${command.usage}`);
  }
  process.exitCode = await command.run({
    flags,
    words,
    text: (flag) => flags.get(flag) ?? '',
    isSet: (flag) => flags.get(flag) === 'true',
    all: (flag) => values.get(flag) ?? [],
  });
}

/** More than this is no file of text that somebody means. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024;

/** Everything that is piped in. Rejects with TytoError `too_large`. */
export async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > INPUT_BYTES_MAX) {
      throw new TytoError('too_large', `standard input is larger than ${INPUT_BYTES_MAX} bytes`);
    }
  }
  return Buffer.concat(chunks);
}

/** A line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line to standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

function overview(
  program: string,
  about: string,
  commands: Readonly<Record<string, Command>>,
): string {
  const lines = Object.entries(commands).map(
    ([name, { usage, help }]) => `  tyto ${program} ${name} ${usage}\n      ${help}`,
  );
  return `${about}\n\n${lines.join('\n')}\n\ntyto ${program} COMMAND --help tells the flags.\n`;
}

function describe(program: string, name: string, { usage, help, flags }: Command): string {
  const list = flags.length === 0 ? '' : `\nFlags:\n${describeFlags(flags)}\n`;
  return `Usage:\n  tyto ${program} ${name} ${usage}\n\n${help}\n${list}`;
}
