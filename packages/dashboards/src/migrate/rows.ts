/** Rows that hold panels, as they were before version 16: now a row is a panel among the others. */
import { flagOf, type Json, numberOf, recordsOf, textOf } from '../json.ts';

const COLUMNS = 24;
/** Panels had a span of twelve. */
const COLUMNS_PER_SPAN = 2;
const SPAN = 4;
/** A cell of the grid with the gap below it, in pixels. */
const CELL_PIXELS = 38;
const ROW_PIXELS = 250;
const CELLS_MIN = 3;

export function migrateRows(dashboard: Json): Json {
  const rows = recordsOf(dashboard.rows);
  // Where no row says anything, none is drawn.
  const showsRows = rows.some(
    (row) => flagOf(row.collapse) || flagOf(row.showTitle) || textOf(row.repeat) !== '',
  );
  let nextId = 1 + Math.max(0, ...allPanels(dashboard).map((panel) => numberOf(panel.id) ?? 0));
  let top = bottomOf(recordsOf(dashboard.panels));
  const panels: Json[] = [...recordsOf(dashboard.panels)];
  for (const row of rows) {
    const isCollapsed = flagOf(row.collapse);
    const placed = placeRow(row, top + (showsRows ? 1 : 0));
    if (showsRows) {
      panels.push({
        id: nextId++,
        type: 'row',
        title: textOf(row.title),
        collapsed: isCollapsed,
        repeat: row.repeat,
        gridPos: { x: 0, y: top, w: COLUMNS, h: 1 },
        panels: isCollapsed ? placed : [],
      });
      top++;
    }
    if (isCollapsed) continue;
    panels.push(...placed);
    top = Math.max(top, bottomOf(placed));
  }
  const { rows: _, ...rest } = dashboard;
  return { ...rest, panels };
}

function allPanels(dashboard: Json): readonly Json[] {
  const inRows = recordsOf(dashboard.rows).flatMap((row) => recordsOf(row.panels));
  return [...recordsOf(dashboard.panels), ...inRows];
}

function bottomOf(panels: readonly Json[]): number {
  return Math.max(
    0,
    ...panels.map(({ gridPos }) => {
      const { y, h } = (gridPos ?? {}) as Json;
      return (numberOf(y) ?? 0) + (numberOf(h) ?? 0);
    }),
  );
}

/** Puts the panels of a row side by side, and below one another where they have no room. */
function placeRow(row: Json, top: number): Json[] {
  const bottoms = new Array<number>(COLUMNS).fill(top);
  return recordsOf(row.panels).map((panel) => {
    const span = Math.min(12, Math.max(1, numberOf(panel.span) ?? SPAN));
    const w = Math.max(1, Math.floor(span * COLUMNS_PER_SPAN));
    const h = cells(panel.height ?? row.height);
    const { x, y } = roomFor(w, bottoms);
    bottoms.fill(y + h, x, x + w);
    const perRow = numberOf(panel.minSpan);
    const maxPerRow = perRow === undefined ? {} : { maxPerRow: Math.floor(12 / perRow) };
    return { ...panel, ...maxPerRow, gridPos: { x, y, w, h } };
  });
}

function roomFor(w: number, bottoms: readonly number[]): { x: number; y: number } {
  let best = { x: 0, y: Infinity };
  for (let x = 0; x + w <= COLUMNS; x++) {
    const y = Math.max(...bottoms.slice(x, x + w));
    if (y < best.y) best = { x, y };
  }
  return best;
}

/** `250px`, `250` or a number of pixels. */
function cells(height: unknown): number {
  const pixels = numberOf(typeof height === 'string' ? height.replace('px', '') : height);
  return Math.max(CELLS_MIN, Math.ceil((pixels ?? ROW_PIXELS) / CELL_PIXELS));
}
