/** A dashboard of any version, from its JSON. */
import { TytoError } from '@tyto/base';
import {
  flagOf,
  isRecord,
  type Json,
  numberOf,
  recordOf,
  recordsOf,
  textOf,
  textsOf,
} from '../json.ts';
import { migrateDashboard } from '../migrate/migrate.ts';
import type { Annotation, Dashboard, Section } from '../model.ts';
import { isSet } from './fields.ts';
import { linksOf } from './links.ts';
import { datasourceOf, panelOf } from './panel.ts';
import { variablesOf } from './variable.ts';

/** More would not be drawn by any browser. */
const PANELS_MAX = 2000;

const POINTERS = ['none', 'crosshair', 'tooltip'] as const;

/**
 * What the JSON of a dashboard says, or of an answer of Grafana's API with one in it. What it does
 * not say has its default; throws TytoError `bad_data` for what is no dashboard.
 */
export function readDashboard(given: unknown): Dashboard {
  if (!isRecord(given)) throw new TytoError('bad_data', 'a dashboard is a JSON object');
  const json = migrateDashboard(given);
  const panels = recordsOf(json.panels);
  if (textOf(json.title) === '' && panels.length === 0) {
    throw new TytoError('bad_data', 'this JSON is no dashboard: it has neither title nor panels');
  }
  const count = panels.reduce((sum, { panels: inside }) => sum + 1 + recordsOf(inside).length, 0);
  if (count > PANELS_MAX) {
    throw new TytoError('too_large', `a dashboard of ${count} panels; ${PANELS_MAX} are drawn`);
  }
  const { from, to } = recordOf(json.time);
  const pointer = json.sharedCrosshair === true ? 1 : (numberOf(json.graphTooltip) ?? 0);
  return {
    uid: textOf(json.uid),
    title: textOf(json.title, 'Dashboard'),
    description: textOf(json.description),
    tags: textsOf(json.tags),
    timezone: textOf(json.timezone) || 'browser',
    time: { from: textOf(from) || 'now-6h', to: textOf(to) || 'now' },
    refresh: textOf(json.refresh),
    isEditable: flagOf(json.editable, true),
    sharedPointer: POINTERS[pointer] ?? 'none',
    links: linksOf(json.links),
    variables: variablesOf(json.templating),
    annotations: recordsOf(recordOf(json.annotations).list).map(annotationOf),
    sections: sectionsOf(panels),
  };
}

function sectionsOf(panels: readonly Json[]): readonly Section[] {
  const sorted = panels
    .map((panel) => ({ panel, ...cornerOf(panel) }))
    .sort((a, b) => a.y - b.y || a.x - b.x);
  const sections: { header: Json | undefined; top: number; panels: Json[] }[] = [];
  for (const { panel, y } of sorted) {
    if (panel.type === 'row') {
      const inside = [...recordsOf(panel.panels)];
      const tops = inside.map((one) => cornerOf(one).y);
      sections.push({ header: panel, top: Math.min(y + 1, ...tops), panels: inside });
    } else {
      if (sections.length === 0) sections.push({ header: undefined, top: y, panels: [] });
      sections[sections.length - 1].panels.push(panel);
    }
  }
  return sections.map(({ header, top, panels: inside }) => ({
    title: header === undefined ? undefined : textOf(header.title),
    isCollapsed: flagOf(header?.collapsed),
    repeat: textOf(header?.repeat),
    panels: inside.map((panel) => panelOf(panel, top)),
  }));
}

function cornerOf({ gridPos }: Json): { x: number; y: number } {
  const { x, y } = recordOf(gridPos);
  return { x: numberOf(x) ?? 0, y: numberOf(y) ?? 0 };
}

function annotationOf(json: Json): Annotation {
  const { ids, exclude } = recordOf(json.filter);
  const target = recordOf(json.target);
  return {
    name: textOf(json.name),
    isEnabled: flagOf(json.enable),
    isHidden: isSet(json.hide),
    isBuiltIn: isSet(json.builtIn),
    color: textOf(json.iconColor, 'red'),
    datasource: datasourceOf(json.datasource),
    expr: textOf(json.expr) || textOf(target.expr),
    step: textOf(json.step),
    titleFormat: textOf(json.titleFormat),
    textFormat: textOf(json.textFormat),
    tagKeys: textOf(json.tagKeys),
    panelIds: Array.isArray(ids) ? ids.flatMap((id) => numberOf(id) ?? []) : [],
    excludesPanels: flagOf(exclude),
  };
}
