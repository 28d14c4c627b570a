import { MemoryMetricStore } from '@tyto/model';
import { parseScript, runScript } from '@tyto/promql';
import { describe, expect, it } from 'vitest';

const open = async () => ({ store: new MemoryMetricStore(), close: async () => {} });

describe('scripts', () => {
  it('are read into commands', () => {
    const commands = parseScript(`
# a comment
load 30s
  up{job="a"} 1 1
clear
eval range from 1m to 2m step 30s up + 1
  expect no_info
  expect warn regex: too (few|many)
  {job="a"} 2x2
eval instant at 5 1 + 1
  2
`);
    expect(commands.map(({ kind }) => kind)).toEqual(['load', 'clear', 'eval', 'eval']);
    expect(commands[2]).toMatchObject({ startMs: 60_000, endMs: 120_000, stepMs: 30_000 });
    expect(commands[3]).toMatchObject({ startMs: 5000, query: '1 + 1', scalar: 2 });
  });

  it('tell what came out otherwise', async () => {
    const outcomes = await runScript(
      'load 1m\n  m 1\n\neval instant at 0 m\n  m 2\n\neval instant at 0 m +\n  m 2\n',
      open,
    );
    expect(outcomes[0]).toMatchObject({ line: 4, query: 'm', failure: 'm: expected 2, found 1' });
    expect(outcomes[1].failure).toMatch(/^failed: 1:4: parse error: unexpected end of input/);
  });

  it('must consist of known commands', () => {
    expect(() => parseScript('lode 1m')).toThrow('unknown command "lode 1m"');
  });
});
