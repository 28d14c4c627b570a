/** Panels with their queries. */
import {
  flagOf,
  isRecord,
  type Json,
  numberOf,
  oneOf,
  recordOf,
  recordsOf,
  textOf,
} from '../json.ts';
import type { DatasourceRef, Panel, Place, Target, Transformation } from '../model.ts';
import { fieldConfigOf, isSet } from './fields.ts';
import { linksOf } from './links.ts';

const COLUMNS = 24;
const WIDTH = 12;
const HEIGHT = 8;
/** Of a panel that would be drawn higher than any screen. */
const HEIGHT_MAX = 500;

/** `top` is where its section begins. */
export function panelOf(json: Json, top: number): Panel {
  const datasource = datasourceOf(json.datasource);
  return {
    id: numberOf(json.id) ?? 0,
    type: textOf(json.type),
    title: textOf(json.title),
    description: textOf(json.description),
    isTransparent: flagOf(json.transparent),
    place: placeOf(json.gridPos, top),
    datasource,
    targets: recordsOf(json.targets).map((target, i) => targetOf(target, i, datasource)),
    transformations: recordsOf(json.transformations).map(transformationOf),
    field: fieldConfigOf(json.fieldConfig),
    options: recordOf(json.options),
    links: linksOf(json.links),
    repeat: {
      variable: textOf(json.repeat),
      direction: json.repeatDirection === 'v' ? 'v' : 'h',
      perRow: Math.min(COLUMNS, Math.max(1, numberOf(json.maxPerRow) ?? 4)),
    },
    timeFrom: textOf(json.timeFrom),
    timeShift: textOf(json.timeShift),
    interval: textOf(json.interval),
    maxDataPoints: numberOf(json.maxDataPoints),
  };
}

/** A name, an object, or null for the default one. */
export function datasourceOf(value: unknown): DatasourceRef {
  if (typeof value === 'string') return { type: '', uid: value };
  const { type, uid } = recordOf(value);
  return { type: textOf(type), uid: textOf(uid) };
}

function placeOf(value: unknown, top: number): Place {
  const given = recordOf(value);
  const whole = (part: unknown, otherwise: number, min: number, max: number) =>
    Math.round(Math.min(max, Math.max(min, numberOf(part) ?? otherwise)));
  const w = whole(given.w, WIDTH, 1, COLUMNS);
  return {
    x: whole(given.x, 0, 0, COLUMNS - w),
    y: whole((numberOf(given.y) ?? top) - top, 0, 0, Number.MAX_SAFE_INTEGER),
    w,
    h: whole(given.h, HEIGHT, 1, HEIGHT_MAX),
  };
}

function targetOf(json: Json, index: number, panel: DatasourceRef): Target {
  const own = datasourceOf(json.datasource);
  const isInstant = flagOf(json.instant) || json.queryType === 'instant';
  // Some queries of one of the newest versions have both.
  const isRange = flagOf(json.range, !isInstant);
  const expr = textOf(json.expr) || textOf(isRecord(json.query) ? undefined : json.query);
  return {
    refId: textOf(json.refId) || letter(index),
    datasource: own.uid === '' && own.type === '' ? panel : own,
    expr,
    legendFormat: textOf(json.legendFormat),
    format: oneOf(json.format, ['time_series', 'table', 'heatmap', 'logs'], 'time_series'),
    isInstant,
    isRange,
    isHidden: isSet(json.hide),
    interval: textOf(json.interval),
    intervalFactor: Math.max(1, numberOf(json.intervalFactor) ?? 1),
    hasExemplars: flagOf(json.exemplar),
    maxLines: numberOf(json.maxLines),
    raw: json,
  };
}

function letter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : `Q${index}`;
}

function transformationOf(json: Json): Transformation {
  const { id, options } = recordOf(json.filter);
  return {
    id: textOf(json.id),
    isDisabled: flagOf(json.disabled),
    filter: isRecord(json.filter) ? { id: textOf(id), options } : undefined,
    options: recordOf(json.options),
  };
}
