/** The series of a range aggregation, found by the labels of entries. */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { type QueryBudget, sizeOf } from '@tyto/promql';
import type { LogqlGrouping } from '@tyto/syntax';
import { INNER_SERIES_MAX } from './limits.ts';
import type { WorkingEntry } from './pipeline/workingEntry.ts';

export interface PaneSeries {
  readonly labels: Labels;
  /** A state for each pane that has entries. */
  readonly panes: unknown[];
}

/** A code unit that no decoded UTF-8 text contains. */
const SEPARATOR = '\ud800';

export class SeriesTable {
  readonly #grouping: LogqlGrouping | undefined;
  readonly #dropped: ReadonlySet<string>;
  readonly #paneCount: number;
  readonly #budget: QueryBudget;
  readonly #byKey = new Map<string, PaneSeries>();
  /** Entries with no labels but those of their stream are found by these. */
  readonly #byStream = new Map<Labels, PaneSeries>();

  constructor(
    grouping: LogqlGrouping | undefined,
    unwrapped: string | undefined,
    paneCount: number,
    budget: QueryBudget,
  ) {
    this.#grouping = grouping;
    const dropped = grouping?.without === true ? grouping.labels : [];
    this.#dropped = new Set(unwrapped === undefined ? dropped : [...dropped, unwrapped]);
    this.#paneCount = paneCount;
    this.#budget = budget;
  }

  get series(): Iterable<PaneSeries> {
    return this.#byKey.values();
  }

  /** The series of an entry. Throws `execution` where there are too many. */
  of(entry: WorkingEntry, stream: Labels): PaneSeries {
    if (!entry.isUnchanged) return this.#find(entry);
    let series = this.#byStream.get(stream);
    if (series === undefined) {
      series = this.#find(entry);
      this.#byStream.set(stream, series);
    }
    return series;
  }

  #find(entry: WorkingEntry): PaneSeries {
    const grouping = this.#grouping;
    if (grouping === undefined || grouping.without) {
      const labels = entry.allLabels().without(this.#dropped);
      return this.#byKey.get(labels.key) ?? this.#add(labels.key, labels);
    }
    const names = grouping.labels;
    let key = '';
    for (let i = 0; i < names.length; i++) {
      key += i === 0 ? entry.value(names[i]) : SEPARATOR + entry.value(names[i]);
    }
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    return this.#add(key, Labels.fromEntries(names.map((name) => [name, entry.value(name)])));
  }

  #add(key: string, labels: Labels): PaneSeries {
    if (this.#byKey.size >= INNER_SERIES_MAX) {
      throw new TytoError(
        'execution',
        `the query has more than ${INNER_SERIES_MAX} series in a range aggregation: group by ` +
          'fewer labels, or keep labels with many values out of it',
      );
    }
    this.#budget.acquire(sizeOf(1, this.#paneCount));
    const series: PaneSeries = { labels, panes: [] };
    this.#byKey.set(key, series);
    return series;
  }
}
