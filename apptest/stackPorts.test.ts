/** The ports that scripts of the replaced stack know answer where they are asked to. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { seedPath, startTyto } from './harness.ts';

const script = seedPath('guide/troubleshooting/alertmanager.sh');

it.skipIf(script === undefined)('the commands for a troubled Alertmanager answer', async () => {
  const tyto = await startTyto({ args: ['--web.stack-ports'] });
  const lines = readFileSync(String(script), 'utf8').split('\n');
  const commands = lines.filter((line) => line.startsWith('curl '));
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    expect(() => JSON.parse(stdout), command).not.toThrow();
  }
  const { stdout } = await promisify(execFile)('sh', ['-c', commands[2]]);
  expect(JSON.parse(stdout)).toMatchObject({ cluster: { status: 'disabled' } });
  expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

const lokiScript = seedPath('guide/troubleshooting/loki.sh');

it.skipIf(lokiScript === undefined)(
  'the commands for a troubled Loki and Promtail answer',
  async () => {
    const tyto = await startTyto({ args: ['--web.stack-ports'] });
    const lines = readFileSync(String(lokiScript), 'utf8').split('\n');
    const commands = lines.filter((line) => line.startsWith('curl '));
    expect(commands).toHaveLength(4);
    const answers: string[] = [];
    for (const command of commands) {
      answers.push((await promisify(execFile)('sh', ['-c', `${command} --fail`])).stdout);
    }
    expect([answers[0], answers[2]]).toEqual(['ready\n', 'ready\n']);
    expect(answers[1]).toContain('# TYPE');
    expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  },
);
