/**
 * Grafana's schema v2: panels by name, and a layout of its own that says where they are. It becomes
 * what the classic schema would say; what that has no word for (tabs, conditions) becomes rows.
 */
import { flagOf, isRecord, type Json, numberOf, recordOf, recordsOf, textOf } from '../json.ts';

const COLUMNS = 24;
/** Of panels in a layout that places them by itself. */
const AUTO_WIDTH = 8;
const AUTO_HEIGHT = 8;

/** As the API wraps it, or the specification alone. */
export function isSchemaV2(json: Json): boolean {
  const spec = recordOf(json.spec);
  return isRecord(spec.elements) || (isRecord(json.elements) && isRecord(json.layout));
}

export function migrateV2(json: Json): Json {
  const spec = isRecord(json.spec) ? json.spec : json;
  const time = recordOf(spec.timeSettings);
  const layout = new Layout(recordOf(spec.elements));
  layout.add(recordOf(spec.layout));
  return {
    uid: textOf(recordOf(json.metadata).name),
    title: spec.title,
    description: spec.description,
    tags: spec.tags,
    editable: spec.editable,
    graphTooltip: { Off: 0, Crosshair: 1, Tooltip: 2 }[textOf(spec.cursorSync)] ?? 0,
    links: spec.links,
    time: { from: textOf(time.from, 'now-6h'), to: textOf(time.to, 'now') },
    timezone: time.timezone,
    refresh: time.autoRefresh,
    templating: { list: recordsOf(spec.variables).map(variableOf) },
    annotations: { list: recordsOf(spec.annotations).map(annotationOf) },
    panels: layout.panels,
  };
}

class Layout {
  readonly panels: Json[] = [];
  readonly #elements: Json;
  #top = 0;
  #nextId = 100_000;

  constructor(elements: Json) {
    this.#elements = elements;
  }

  add(layout: Json): void {
    const spec = recordOf(layout.spec);
    switch (layout.kind) {
      case 'RowsLayout':
        for (const row of recordsOf(spec.rows)) this.#addRow(recordOf(row.spec));
        break;
      case 'TabsLayout':
        for (const tab of recordsOf(spec.tabs)) this.#addRow(recordOf(tab.spec));
        break;
      case 'AutoGridLayout':
        this.#addAuto(spec);
        break;
      default:
        this.#addGrid(spec);
    }
  }

  #addRow(row: Json): void {
    const at = this.panels.length;
    const isCollapsed = flagOf(row.collapse);
    const header = {
      id: this.#nextId++,
      type: 'row',
      title: textOf(row.title),
      collapsed: isCollapsed,
      repeat: textOf(recordOf(row.repeat).value),
      gridPos: { x: 0, y: this.#top++, w: COLUMNS, h: 1 },
    };
    this.add(recordOf(row.layout));
    const inside = this.panels.splice(at);
    const isFlat = !inside.some(({ type }) => type === 'row');
    if (isCollapsed && isFlat) this.panels.push({ ...header, panels: inside });
    else this.panels.push({ ...header, collapsed: false, panels: [] }, ...inside);
  }

  #addGrid(spec: Json): void {
    const from = this.#top;
    for (const item of recordsOf(spec.items)) {
      const { x, y, width, height, element, repeat } = recordOf(item.spec);
      const [w, h] = [numberOf(width) ?? AUTO_WIDTH, numberOf(height) ?? AUTO_HEIGHT];
      const place = { x: numberOf(x) ?? 0, y: from + (numberOf(y) ?? 0), w, h };
      this.#addPanel(element, place, recordOf(repeat));
    }
  }

  #addAuto(spec: Json): void {
    const from = this.#top;
    const perRow = Math.max(1, Math.min(COLUMNS, numberOf(spec.maxColumnCount) ?? 3));
    const w = Math.floor(COLUMNS / perRow);
    recordsOf(spec.items).forEach((item, i) => {
      const y = from + Math.floor(i / perRow) * AUTO_HEIGHT;
      const { element, repeat } = recordOf(item.spec);
      this.#addPanel(element, { x: (i % perRow) * w, y, w, h: AUTO_HEIGHT }, recordOf(repeat));
    });
  }

  #addPanel(element: unknown, gridPos: Readonly<Record<string, number>>, repeat: Json): void {
    const found = recordOf(this.#elements[textOf(recordOf(element).name)]);
    const spec = recordOf(found.spec);
    this.#top = Math.max(this.#top, gridPos.y + gridPos.h);
    this.panels.push({
      ...(found.kind === 'LibraryPanel' ? libraryPanel(spec) : panelOf(spec)),
      gridPos,
      repeat: textOf(repeat.value),
      repeatDirection: repeat.direction ?? 'h',
      maxPerRow: repeat.maxPerRow,
    });
  }
}

function libraryPanel(spec: Json): Json {
  const title = textOf(spec.title) || textOf(recordOf(spec.libraryPanel).name);
  return { id: spec.id, type: 'library panel', title };
}

function panelOf(spec: Json): Json {
  const view = recordOf(spec.vizConfig);
  const viewSpec = recordOf(view.spec);
  const data = recordOf(recordOf(spec.data).spec);
  const queries = recordOf(data.queryOptions);
  return {
    id: spec.id,
    // v2beta1 has the type as the kind, v2 as the group.
    type: textOf(view.group) || textOf(view.kind),
    title: spec.title,
    description: spec.description,
    transparent: spec.transparent,
    links: spec.links,
    fieldConfig: viewSpec.fieldConfig,
    options: viewSpec.options,
    targets: recordsOf(data.queries).map(targetOf),
    transformations: recordsOf(data.transformations).map(transformationOf),
    timeFrom: queries.timeFrom,
    timeShift: queries.timeShift,
    interval: queries.interval,
    maxDataPoints: queries.maxDataPoints,
  };
}

function targetOf({ spec }: Json): Json {
  const { query, refId, hidden, datasource } = recordOf(spec);
  const asked = recordOf(query);
  const source = recordOf(asked.datasource ?? datasource);
  return {
    ...recordOf(asked.spec),
    refId,
    hide: hidden,
    datasource: {
      type: textOf(asked.group) || textOf(source.type),
      uid: textOf(source.name) || textOf(source.uid),
    },
  };
}

function transformationOf({ kind, group, spec }: Json): Json {
  const { id, disabled, filter, options } = recordOf(spec);
  return { id: textOf(id) || textOf(group) || textOf(kind), disabled, filter, options };
}

/** `QueryVariable` and its like. */
function variableOf({ kind, spec }: Json): Json {
  const { query, hide, refresh, sort, datasource, ...rest } = recordOf(spec);
  const asked = isRecord(query) ? query : {};
  const source = recordOf(asked.datasource ?? datasource);
  const uid = textOf(source.name) || textOf(source.uid);
  const type = textOf(kind)
    .replace(/Variable$/, '')
    .toLowerCase();
  const text = isRecord(query) ? recordOf(asked.spec) : query;
  return {
    ...rest,
    type: type === 'text' ? 'textbox' : type,
    query: type === 'datasource' ? rest.pluginId : text,
    hide: { dontHide: 0, hideLabel: 1, hideVariable: 2 }[textOf(hide)] ?? 0,
    refresh: { never: 0, onDashboardLoad: 1, onTimeRangeChanged: 2 }[textOf(refresh)] ?? 0,
    sort: SORTS.indexOf(textOf(sort, 'disabled')),
    datasource: { type: textOf(asked.group) || textOf(source.type), uid },
  };
}

const SORTS = [
  'disabled',
  'alphabeticalAsc',
  'alphabeticalDesc',
  'numericalAsc',
  'numericalDesc',
  'alphabeticalCaseInsensitiveAsc',
  'alphabeticalCaseInsensitiveDesc',
  'naturalAsc',
  'naturalDesc',
];

function annotationOf({ spec }: Json): Json {
  const { query, builtIn, ...rest } = recordOf(spec);
  const asked = recordOf(query);
  const source = recordOf(asked.datasource ?? rest.datasource);
  const uid = textOf(source.name) || textOf(source.uid);
  return {
    ...rest,
    ...recordOf(asked.spec),
    builtIn: flagOf(builtIn) ? 1 : 0,
    datasource: { type: textOf(asked.group) || textOf(source.type), uid },
  };
}
