/**
 * Runs a program for an automatic response: without a shell, with nothing of our own environment,
 * in a process group of its own, which is killed as a whole when time is up.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Clock, errorMessage } from '@tyto/base';
import type { CommandRequest, CommandResult } from '@tyto/incidents';

/** Between asking a program to end and ending it. */
const KILL_DELAY_MS = 2000;
/** For what a program wrote last, once it has ended. */
const CLOSE_MS_MAX = 500;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class CommandRunner {
  readonly #clock: Clock;
  readonly #running = new Set<ChildProcess>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Never rejects: what went wrong is in the result. */
  run(request: CommandRequest): Promise<CommandResult> {
    return new Promise((resolve) => {
      const output = new BoundedText(request.outputBytesMax);
      let child: ChildProcess;
      try {
        const [program, ...args] = request.command;
        child = spawn(program, args, {
          cwd: request.directory,
          env: { PATH, ...request.environment },
          detached: true,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      } catch (error) {
        resolve({ exitCode: undefined, output: '', error: errorMessage(error) });
        return;
      }
      this.#running.add(child);
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (bytes: Buffer) => output.add(bytes));
      }
      let isLate = false;
      const timer = this.#clock.schedule(request.timeoutMs, () => {
        isLate = true;
        killGroup(child, 'SIGTERM');
        this.#clock.schedule(KILL_DELAY_MS, () => killGroup(child, 'SIGKILL'));
      });
      const finish = (exitCode: number | undefined, error: string) => {
        timer.cancel();
        this.#running.delete(child);
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ exitCode, output: output.text, error });
      };
      child.on('error', (error) => finish(undefined, `did not start: ${errorMessage(error)}`));
      child.on('exit', (code, signal) => {
        const late = `ended after ${request.timeoutMs / 1000} s: time was up`;
        const ended = signal === null ? '' : `ended by ${signal}`;
        const end = () => finish(code ?? undefined, isLate ? late : ended);
        // Children that it left behind may hold its outputs open: they are not waited for.
        child.once('close', end);
        this.#clock.schedule(CLOSE_MS_MAX, end);
      });
    });
  }

  /** Ends what still runs, with its children. */
  stop(): void {
    for (const child of this.#running) killGroup(child, 'SIGKILL');
  }
}

class BoundedText {
  readonly #chunks: Buffer[] = [];
  #left: number;

  constructor(bytesMax: number) {
    this.#left = bytesMax;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8').trim();
  }

  add(bytes: Buffer): void {
    if (this.#left <= 0) return;
    const taken = bytes.subarray(0, this.#left);
    this.#left -= taken.length;
    this.#chunks.push(Buffer.from(taken));
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
