/** The result over time: the chart and its legend. */

import type { MatrixData, MatrixSeriesJson } from '@tyto/api';
import { useMemo, useState } from 'react';
import { CopyButton, EmptyState } from '../../components/basics.tsx';
import { Chart } from '../../components/Chart.tsx';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { SERIES_DRAWN_MAX, toColumns } from '../../lib/chartData.ts';
import { formatCount } from '../../lib/format.ts';
import type { PanelState } from '../../lib/queryState.ts';
import {
  commonLabels,
  distinctNames,
  formatSeries,
  matrixToCsv,
  ownLabels,
} from '../../lib/series.ts';
import { serverNowMs } from '../../state/serverClock.ts';
import { useSettings } from '../../state/settings.ts';
import { SeriesName } from './ResultTable.tsx';
import type { Grid } from './useQuery.ts';

/** A range shorter than this shows single scrapes at best. */
const RANGE_MS_MIN = 5000;
const RANGE_MS_MAX = 5 * 365 * 86_400_000;

export function ResultGraph(props: {
  panel: PanelState;
  data: MatrixData;
  grid: Grid;
  onChange: (panel: PanelState) => void;
}) {
  const { panel, data, grid, onChange } = props;
  const text = useText();
  const { zone, language } = useSettings();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const drawn = useMemo(() => data.result.slice(0, SERIES_DRAWN_MAX), [data]);
  const columns = useMemo(() => toColumns(drawn, grid.start, grid.end, grid.step), [drawn, grid]);
  const names = useMemo(() => distinctNames(drawn.map((one) => one.metric)), [drawn]);
  const keys = useMemo(() => drawn.map((one) => formatSeries(one.metric)), [drawn]);
  const isShown = keys.map((key) => !hidden.has(key));
  if (data.result.length === 0) {
    return (
      <EmptyState icon="query" title={text.query.empty}>
        {text.query.emptyDetail}
      </EmptyState>
    );
  }
  const zoom = (start: number, end: number) => {
    const rangeMs = Math.max(RANGE_MS_MIN, Math.round(end - start) * 1000);
    onChange({ ...panel, rangeMs, endMs: Math.round(end) * 1000 });
  };
  const zoomOut = () => {
    const rangeMs = Math.min(RANGE_MS_MAX, panel.rangeMs * 2);
    const endMs = panel.endMs === undefined ? undefined : panel.endMs + panel.rangeMs / 2;
    const isPast = endMs !== undefined && endMs < serverNowMs();
    onChange({ ...panel, rangeMs, endMs: isPast ? endMs : undefined });
  };
  return (
    <>
      <Chart
        times={columns.times}
        columns={columns.values}
        names={names}
        isShown={isShown}
        isStacked={panel.isStacked}
        zone={zone}
        label={`${panel.expr} – ${text.query.series(formatCount(drawn.length, language))}`}
        moreText={text.query.moreSeries}
        onZoom={zoom}
        onZoomOut={zoomOut}
      />
      {data.result.length > SERIES_DRAWN_MAX ? (
        <p className="annotation tone-info" role="note">
          <Icon name="info" size={14} />{' '}
          {text.query.limitedSeries(
            formatCount(SERIES_DRAWN_MAX, language),
            formatCount(data.result.length, language),
          )}
        </p>
      ) : null}
      <Legend drawn={drawn} keys={keys} hidden={hidden} onHidden={setHidden} />
      <div className="result-foot">
        <span className="faint hint">{text.query.zoomHint}</span>
        <CopyButton getText={() => matrixToCsv(data.result)}>{text.query.copyCsv}</CopyButton>
        <CopyButton getText={() => JSON.stringify(data.result, undefined, 2)}>
          {text.query.copyJson}
        </CopyButton>
      </div>
    </>
  );
}

function Legend(props: {
  drawn: readonly MatrixSeriesJson[];
  keys: readonly string[];
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
}) {
  const text = useText();
  const { drawn, keys, hidden, onHidden } = props;
  const common = commonLabels(drawn.map((one) => one.metric));
  const click = (key: string, isToggle: boolean) => {
    if (isToggle) {
      const next = new Set(hidden);
      if (!next.delete(key)) next.add(key);
      onHidden(next);
      return;
    }
    const others = keys.filter((one) => one !== key);
    const isAlone = !hidden.has(key) && others.every((one) => hidden.has(one));
    onHidden(isAlone ? new Set() : new Set(others));
  };
  return (
    <div className="legend" title={text.query.legendHint}>
      {Object.keys(common).length > 0 ? (
        <p className="legend-common faint">
          {text.query.commonLabels} <SeriesName labels={common} />
        </p>
      ) : null}
      {keys.map((key, index) => (
        <button
          key={key}
          type="button"
          className="legend-item"
          aria-pressed={!hidden.has(key)}
          onClick={(event) => click(key, event.ctrlKey || event.metaKey || event.shiftKey)}
        >
          <span className="swatch" style={{ background: `var(--series-${(index % 12) + 1})` }} />
          <SeriesName labels={ownLabels(drawn[index]?.metric ?? {}, common)} />
        </button>
      ))}
      {hidden.size > 0 ? (
        <button type="button" className="button small" onClick={() => onHidden(new Set())}>
          {text.query.showAll}
        </button>
      ) : null}
    </div>
  );
}
