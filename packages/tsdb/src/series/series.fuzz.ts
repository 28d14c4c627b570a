import fc from 'fast-check';
import { Labels } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import type { LabelsOf } from '../indexSearch.ts';
import { PostingLists } from './postingLists.ts';
import { SeriesTable } from './seriesTable.ts';
import { Symbols } from './symbols.ts';

describe('symbols', () => {
  it('give every text one number and every number its text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ minLength: 250, maxLength: 600 }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 300 }), (texts) => {
        const sound = texts.filter((one) => one.isWellFormed());
        const symbols = new Symbols();
        const ids = sound.map((one) => symbols.intern(one));
        expect(symbols.size).toBe(new Set(sound).size);
        sound.forEach((one, i) => {
          expect(symbols.text(ids[i])).toBe(one);
          expect(symbols.find(one)).toBe(ids[i]);
        });
        expect(symbols.find('a text that is not there')).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('posting lists', () => {
  it('hold what was added, sorted, whatever the sizes of the others', () => {
    const lists = new PostingLists();
    lists.reserve(40);
    const want: number[][] = Array.from({ length: 40 }, () => []);
    for (let id = 0; id < 6000; id++) {
      for (let list = 0; list < 40; list++) {
        // Descending at times, as ids that are used again are.
        const value = (id * 7919) % 6007;
        if (value % (list + 1) !== 0) continue;
        lists.add(list, value);
        want[list].push(value);
      }
    }
    want.forEach((ids, list) => {
      expect([...lists.view(list)]).toEqual(ids.sort((a, b) => a - b));
      expect(lists.length(list)).toBe(ids.length);
    });
  });
});

describe('the series table', () => {
  it('finds series by labels, reference and postings while others come and go', () => {
    const command = fc.record({ n: fc.nat({ max: 60 }), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const table = new SeriesTable();
        const refs = new Map<number, number>();
        const kept: [labels: LabelsOf, wanted: readonly number[]][] = [];
        for (const [i, { n, remove }] of commands.entries()) {
          if (i % 7 === 0) {
            const ids = Uint32Array.from(refs.values(), (ref) => table.idOf(ref));
            kept.push([table.keepLabels(ids), [...refs.keys()]]);
          }
          const known = refs.get(n);
          if (remove && known !== undefined) {
            const id = table.idOf(known);
            table.remove(new Set([id]));
            table.release([id]);
            refs.delete(n);
            expect(table.idOf(known)).toBe(-1);
          } else {
            const { ref, created } = table.resolve(labelsOf(n));
            expect(created).toBe(known === undefined);
            if (known !== undefined) expect(ref).toBe(known);
            refs.set(n, ref);
          }
        }
        expect(table.count).toBe(refs.size);
        for (const [labels, wanted] of kept) {
          const same = wanted.every((n, i) => labels(i).equals(labelsOf(n)));
          expect(same).toBe(true);
        }
        for (const [n, ref] of refs) {
          const id = table.idOf(ref);
          expect(table.labels(id).equals(labelsOf(n))).toBe(true);
          expect([...table.postings('n', String(n))]).toEqual([id]);
        }
        const evens = [...refs].filter(([n]) => n % 2 === 0).map(([, ref]) => table.idOf(ref));
        expect([...table.postings('even', 'true')]).toEqual(evens.sort((a, b) => a - b));
        expect([...table.labelValues('n')].sort()).toEqual([...refs.keys()].map(String).sort());
      }),
      { numRuns: 200 },
    );
  });
});

function labelsOf(n: number): Labels {
  return Labels.of({ __name__: 'm', n: String(n), even: String(n % 2 === 0) });
}
