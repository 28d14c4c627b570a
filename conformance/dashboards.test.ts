/** Dashboards that people use, of all versions: everything in them is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Panel, readDashboard } from '@tyto/dashboards';
import { describe, expect, it } from 'vitest';
import { sharedPath } from './shared.ts';

interface Listed {
  readonly file: string;
  readonly title: string;
  readonly panel_types: Readonly<Record<string, number>>;
  readonly variables: Readonly<Record<string, number>>;
}

const root = sharedPath('dashboards');
const listed: Listed[] =
  root === undefined ? [] : JSON.parse(readFileSync(join(root, 'INDEX.json'), 'utf8'));

/** What replaced them; a singlestat is a stat or a gauge. */
const REPLACED: Readonly<Record<string, string>> = {
  graph: 'timeseries',
  singlestat: 'stat',
  gauge: 'stat',
};

/** Panels that draw something, wherever the file has them. */
function drawn(json: unknown): readonly { readonly targets?: readonly unknown[] }[] {
  if (Array.isArray(json)) return json.flatMap(drawn);
  if (typeof json !== 'object' || json === null) return [];
  const { dashboard, rows, panels, type, gridPos, span } = json as Record<string, unknown>;
  const isPanel = type !== 'row' && (gridPos !== undefined || span !== undefined);
  return [...(isPanel ? [json] : []), ...[dashboard, rows, panels].flatMap(drawn)];
}

function typesOf(panels: readonly Panel[]): Record<string, number> {
  return countBy(panels.map(({ type }) => REPLACED[type] ?? type));
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe.skipIf(root === undefined)('dashboards', () => {
  for (const expected of listed) {
    it(`${expected.file} is read whole`, () => {
      const text = readFileSync(join(root ?? '', expected.file), 'utf8');
      const json = JSON.parse(text);
      const dashboard = readDashboard(json);
      expect(dashboard.title).toBe(expected.title);
      const panels = dashboard.sections.flatMap((section) => section.panels);
      const { row: _, '(legacy row)': __, ...types } = expected.panel_types;
      const wanted = Object.entries(types).flatMap(([type, count]) =>
        new Array<string>(count).fill(REPLACED[type] ?? type),
      );
      expect(typesOf(panels)).toEqual(countBy(wanted));
      const targets = drawn(json).flatMap((panel) => panel.targets ?? []);
      expect(panels.flatMap((panel) => panel.targets)).toHaveLength(targets.length);
      expect(countBy(dashboard.variables.map(({ type }) => type))).toEqual(expected.variables);
    });

    it(`${expected.file} has every panel in a place of its own`, () => {
      const text = readFileSync(join(root ?? '', expected.file), 'utf8');
      for (const section of readDashboard(JSON.parse(text)).sections) {
        const taken = new Map<string, string>();
        for (const { place, title, type } of section.panels) {
          expect(place.x + place.w).toBeLessThanOrEqual(24);
          for (let x = place.x; x < place.x + place.w; x++) {
            for (let y = place.y; y < place.y + place.h; y++) {
              const other = taken.get(`${x},${y}`);
              expect(other === undefined, `${type} "${title}" over "${other}"`).toBe(true);
              taken.set(`${x},${y}`, title);
            }
          }
        }
      }
    });
  }
});
