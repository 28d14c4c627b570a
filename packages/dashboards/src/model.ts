/**
 * A dashboard as it is drawn, whatever version of Grafana's JSON it was written in. The names are
 * Grafana's; what a file does not say has its default here.
 */

/** A data source by its type and uid; both may hold variables, '' is the default one. */
export interface DatasourceRef {
  readonly type: string;
  readonly uid: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** `browser`, `utc` or a name of the IANA database. */
  readonly timezone: string;
  /** As Grafana writes them: `now-6h`, `now/d`, or an ISO time. */
  readonly time: { readonly from: string; readonly to: string };
  /** `30s`; '' for never. */
  readonly refresh: string;
  readonly isEditable: boolean;
  /** What panels share of the place that is pointed at. */
  readonly sharedPointer: 'none' | 'crosshair' | 'tooltip';
  readonly links: readonly Link[];
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  /** In order; what stands before the first row is in one without a title. */
  readonly sections: readonly Section[];
}

/** A row and what is below it. */
export interface Section {
  /** Undefined for what stands before the first row. */
  readonly title: string | undefined;
  readonly isCollapsed: boolean;
  readonly repeat: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly id: number;
  /** `timeseries`, `stat`, …; any text where the file wants a plugin. */
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly isTransparent: boolean;
  /** In cells of a grid of 24 columns; `y` is counted from the top of the section. */
  readonly place: Place;
  readonly datasource: DatasourceRef;
  readonly targets: readonly Target[];
  readonly transformations: readonly Transformation[];
  readonly field: FieldConfig;
  /** What the type of the panel knows, as its file says it; see `options.ts`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly links: readonly Link[];
  /** A variable, for each value of which there is a panel; '' for none. */
  readonly repeat: {
    readonly variable: string;
    readonly direction: 'h' | 'v';
    readonly perRow: number;
  };
  /** Instead of the dashboard's range, and so long before it. */
  readonly timeFrom: string;
  readonly timeShift: string;
  readonly interval: string;
  readonly maxDataPoints: number | undefined;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Target {
  readonly refId: string;
  readonly datasource: DatasourceRef;
  /** PromQL, LogQL or TraceQL, with variables in it. */
  readonly expr: string;
  readonly legendFormat: string;
  readonly format: 'time_series' | 'table' | 'heatmap' | 'logs';
  readonly isInstant: boolean;
  readonly isRange: boolean;
  readonly isHidden: boolean;
  readonly interval: string;
  readonly intervalFactor: number;
  readonly hasExemplars: boolean;
  /** Most lines of a log query. */
  readonly maxLines: number | undefined;
  /** The query as the file has it, for data sources of other kinds. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface Transformation {
  readonly id: string;
  readonly isDisabled: boolean;
  /** Which frames it is for; undefined for all. */
  readonly filter: Matcher | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Matcher {
  readonly id: string;
  readonly options: unknown;
}

export interface FieldConfig {
  readonly defaults: FieldSettings;
  readonly overrides: readonly FieldOverride[];
}

export interface FieldOverride {
  readonly matcher: Matcher;
  /** By path: `unit`, `custom.lineWidth`. */
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export interface FieldSettings {
  readonly unit: string;
  readonly decimals: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly displayName: string;
  readonly noValue: string;
  readonly color: { readonly mode: string; readonly fixedColor: string; readonly seriesBy: string };
  readonly thresholds: Thresholds;
  readonly mappings: readonly Mapping[];
  readonly links: readonly Link[];
  /** What the type of the panel knows of a field: `lineWidth`, `cellOptions` … */
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface Thresholds {
  readonly mode: 'absolute' | 'percentage';
  /** In rising order; the first is from -Infinity on. */
  readonly steps: readonly { readonly from: number; readonly color: string }[];
}

/** What is shown instead of a value. */
export interface Shown {
  readonly text: string;
  readonly color: string;
}

export type Mapping =
  | { readonly type: 'value'; readonly values: ReadonlyMap<string, Shown> }
  | { readonly type: 'range'; readonly from: number; readonly to: number; readonly shown: Shown }
  | { readonly type: 'regex'; readonly pattern: string; readonly shown: Shown }
  | { readonly type: 'special'; readonly match: string; readonly shown: Shown };

export interface Link {
  readonly title: string;
  readonly url: string;
  readonly opensNewTab: boolean;
  /** Of a dashboard: those with these tags are listed; empty for an address. */
  readonly tags: readonly string[];
  readonly keepsTime: boolean;
  readonly keepsVariables: boolean;
}

export type VariableType =
  | 'query'
  | 'custom'
  | 'interval'
  | 'textbox'
  | 'datasource'
  | 'adhoc'
  | 'constant'
  | 'switch'
  | 'groupby';

export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  /** '' where the name is shown. */
  readonly label: string;
  readonly description: string;
  readonly hide: 'nothing' | 'label' | 'all';
  readonly datasource: DatasourceRef;
  /** A query, a list of values, a text, a type of data sources. */
  readonly query: string;
  readonly regex: string;
  /** Grafana's numbers: 0 none, then text, number and text without case, up and down in turn. */
  readonly sort: number;
  readonly refresh: 'never' | 'load' | 'time';
  readonly isMulti: boolean;
  readonly includesAll: boolean;
  /** What stands for all; '' for every value in turn. */
  readonly allValue: string;
  /** Chosen where nobody has chosen; `$__all` for all. */
  readonly current: readonly string[];
  readonly options: readonly { readonly text: string; readonly value: string }[];
  /** Of an interval: whether there is `auto`, of how many steps and of how much at least. */
  readonly auto: { readonly steps: number; readonly min: string } | undefined;
}

export interface Annotation {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly isHidden: boolean;
  readonly isBuiltIn: boolean;
  readonly color: string;
  readonly datasource: DatasourceRef;
  readonly expr: string;
  readonly step: string;
  readonly titleFormat: string;
  readonly textFormat: string;
  readonly tagKeys: string;
  /** Panels that it is for, or those that it is not for; empty for all. */
  readonly panelIds: readonly number[];
  readonly excludesPanels: boolean;
}
