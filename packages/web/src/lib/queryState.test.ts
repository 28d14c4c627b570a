import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_PANEL,
  formatPanels,
  type PanelState,
  parsePanels,
  queryLink,
  stepOf,
} from './queryState.ts';

describe('the URL of the query page', () => {
  it('opens what a Prometheus generatorURL points to', () => {
    expect(parsePanels('?g0.expr=up+%3D%3D+0&g0.tab=1')).toEqual([
      { ...EMPTY_PANEL, expr: 'up == 0', tab: 'table' },
    ]);
  });

  it('opens what the page of Prometheus 3 writes', () => {
    const search =
      '?g0.expr=up&g0.show_tree=0&g0.tab=graph&g0.range_input=2d&g0.res_type=auto' +
      '&g0.display_mode=stacked&g0.end_input=2026-11-21+18%3A20%3A03&g0.step_input=30';
    expect(parsePanels(search)).toEqual([
      {
        expr: 'up',
        tab: 'graph',
        rangeMs: 2 * 86_400_000,
        endMs: Date.UTC(2026, 10, 21, 18, 20, 3),
        stepSeconds: 30,
        isStacked: true,
      },
    ]);
  });

  it('is an empty panel where it says nothing or nonsense', () => {
    expect(parsePanels('')).toEqual([EMPTY_PANEL]);
    expect(parsePanels('?g0.range_input=-&g0.step_input=x&g0.end_input=never')).toEqual([
      EMPTY_PANEL,
    ]);
  });

  it('numbers the panels of a link with gaps anew', () => {
    expect(parsePanels('?g7.expr=b&g2.expr=a').map((panel) => panel.expr)).toEqual(['a', 'b']);
  });

  it('reads back every state it writes', () => {
    const panel: fc.Arbitrary<PanelState> = fc.record({
      expr: fc.string({ unit: 'grapheme' }),
      tab: fc.constantFrom('graph' as const, 'table' as const),
      rangeMs: fc.integer({ min: 1, max: 1e6 }).map((seconds) => seconds * 1000),
      endMs: fc.option(
        fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1000),
        { nil: undefined },
      ),
      stepSeconds: fc.option(fc.integer({ min: 1, max: 86_400 }), { nil: undefined }),
      isStacked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(panel, { minLength: 1, maxLength: 12 }), (panels) => {
        expect(parsePanels(formatPanels(panels))).toEqual(panels);
      }),
    );
  });

  it('of an expression is relative, so that it works under any prefix', () => {
    expect(queryLink('up')).toBe('query?g0.expr=up&g0.tab=1&g0.range_input=1h');
  });
});

describe('the resolution', () => {
  it('follows the range unless it is set', () => {
    expect(stepOf({ rangeMs: 3_600_000, stepSeconds: undefined })).toBe(14);
    expect(stepOf({ rangeMs: 60_000, stepSeconds: undefined })).toBe(1);
    expect(stepOf({ rangeMs: 3_600_000, stepSeconds: 60 })).toBe(60);
  });

  it('never asks for more points than the server gives', () => {
    expect(stepOf({ rangeMs: 30 * 86_400_000, stepSeconds: 1 })).toBe(236);
  });
});
