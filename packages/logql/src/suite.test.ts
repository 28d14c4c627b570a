/** The scripts of packages/logql/suite, over the store of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { runLogqlScript } from '@tyto/logql';
import { MemoryLogStore } from '@tyto/model';
import { describe, expect, it } from 'vitest';

const FOLDER = new URL('../suite/', import.meta.url);
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.logql'));

describe('the LogQL suite', () => {
  it('asks more than four hundred questions', () => {
    const texts = scripts.map((name) => readFileSync(new URL(name, FOLDER), 'utf8'));
    expect(texts.join('\n').match(/^eval/gm)?.length).toBeGreaterThan(400);
  });

  for (const name of scripts) {
    it(`${name} is answered as it says`, async () => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8');
      const outcomes = await runLogqlScript(text, async () => new MemoryLogStore());
      const failed = outcomes.flatMap(({ line, query, problem }) =>
        problem === undefined ? [] : [`${name}:${line}: ${query}\n${problem}`],
      );
      expect(outcomes.length).toBeGreaterThan(0);
      expect(failed.join('\n\n')).toBe('');
    });
  }
});
