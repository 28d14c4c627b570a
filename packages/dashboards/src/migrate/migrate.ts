/**
 * Older JSON as today's: rows that hold panels become panels that are rows, panels that Grafana has
 * replaced become what replaced them. The reader knows only what comes out of this.
 */
import { isRecord, type Json, recordsOf } from '../json.ts';
import { migrateGraph } from './graph.ts';
import { migrateHeatmap } from './heatmap.ts';
import { migrateRows } from './rows.ts';
import { migrateSinglestat } from './singlestat.ts';
import { isOldTable, migrateTable } from './table.ts';
import { migrateFieldOptions, migrateText } from './smallChanges.ts';
import { isSchemaV2, migrateV2 } from './schemaV2.ts';

/** The dashboard itself of whatever a file or an API answer wraps it in. */
export function migrateDashboard(json: Json): Json {
  const inner = isRecord(json.dashboard) ? json.dashboard : json;
  const classic = isSchemaV2(inner) ? migrateV2(inner) : inner;
  const flat = Array.isArray(classic.rows) ? migrateRows(classic) : classic;
  return { ...flat, panels: recordsOf(flat.panels).map(migratePanel) };
}

function migratePanel(panel: Json): Json {
  if (panel.type === 'row') return { ...panel, panels: recordsOf(panel.panels).map(migratePanel) };
  switch (panel.type) {
    case 'graph':
      return migrateGraph(panel);
    case 'singlestat':
    case 'grafana-singlestat-panel':
      return migrateSinglestat(panel);
    case 'table-old':
    case 'table':
      return isOldTable(panel) ? migrateTable(panel) : migrateFieldOptions(panel);
    case 'heatmap':
      return migrateHeatmap(panel);
    case 'text':
      return migrateText(panel);
    default:
      return migrateFieldOptions(panel);
  }
}
