import { describe, expect, it } from 'vitest';
import { systemClock } from '@tyto/base';
import { CommandRunner } from './commandRunner.ts';

const runner = new CommandRunner(systemClock);

function run(command: string[], more: object = {}) {
  return runner.run({
    command,
    environment: {},
    directory: '/',
    timeoutMs: 5000,
    outputBytesMax: 1000,
    ...more,
  });
}

/** Whether a process is there, and is no zombie. */
async function lives(pid: number): Promise<boolean> {
  const { output } = await run(['sh', '-c', `cat /proc/${pid}/stat 2>/dev/null | cut -d' ' -f3`]);
  return output !== '' && output !== 'Z';
}

describe('a command of an automatic response', () => {
  it('has its arguments as they are, and no environment but its own', async () => {
    process.env.TYTO_TEST_SECRET = 'hidden';
    expect(await run(['echo', '$HOME; rm -rf "x"'])).toEqual({
      exitCode: 0,
      output: '$HOME; rm -rf "x"',
      error: '',
    });
    const { output } = await run(['env'], { environment: { MODE: 'a b' } });
    const names = output.split('\n').map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['MODE', 'PATH']);
    delete process.env.TYTO_TEST_SECRET;
  });

  it('tells how it ended, and what it wrote until the limit', async () => {
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toMatchObject({
      exitCode: 3,
      error: '',
    });
    expect((await run(['no-such-program'])).error).toMatch(/^did not start: .*ENOENT/);
    expect((await run(['yes'], { timeoutMs: 200 })).output).toHaveLength(999);
  });

  it('is ended with its children when time is up', async () => {
    const script = 'trap "" TERM; sleep 60 & echo $!; wait; sleep 60';
    const { output, error } = await run(['sh', '-c', script], { timeoutMs: 200 });
    expect(error).toBe('ended after 0.2 s: time was up');
    expect(await lives(Number(output))).toBe(false);
  });

  it('is not waited for by what it leaves behind', async () => {
    const startedMs = systemClock.monotonicMs();
    const { exitCode, output } = await run(['sh', '-c', 'sleep 30 & echo done']);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: 'done' });
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(5000);
  });
});
