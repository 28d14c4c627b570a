/** The result at one moment: a row per series. Large results are cut, with a note. */

import { type LabelMap, parseSampleValue, type QueryData, type VectorSeries } from '@tyto/api';
import { useState } from 'react';
import { CopyButton, EmptyState } from '../../components/basics.tsx';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { formatCount, formatValue } from '../../lib/format.ts';
import { matrixToCsv, vectorToCsv } from '../../lib/series.ts';
import { formatTime } from '../../lib/time.ts';
import { useSettings } from '../../state/settings.ts';

/** A browser draws this many rows at once without a pause. */
const ROWS_MAX = 500;
/** The newest samples of a range vector's series. */
const SAMPLES_MAX = 30;

type Order = 'none' | 'down' | 'up';
const NEXT_ORDER: Readonly<Record<Order, Order>> = { none: 'down', down: 'up', up: 'none' };

export function ResultTable({ data }: { data: QueryData }) {
  const text = useText();
  if (data.resultType === 'scalar' || data.resultType === 'string') {
    return <p className="single-value mono">{data.result[1]}</p>;
  }
  if (data.result.length === 0) {
    return (
      <EmptyState icon="query" title={text.query.empty}>
        {text.query.emptyDetail}
      </EmptyState>
    );
  }
  if (data.resultType === 'matrix') return <MatrixTable result={data.result} />;
  return <VectorTable result={data.result} />;
}

function VectorTable({ result }: { result: readonly VectorSeries[] }) {
  const text = useText();
  const [order, setOrder] = useState<Order>('none');
  const sorted = inOrder(result, order);
  return (
    <>
      <div className="table-scroll">
        <table className="result">
          <thead>
            <tr>
              <th scope="col">{text.common.labels}</th>
              <th
                scope="col"
                className="number"
                aria-sort={order === 'none' ? 'none' : order === 'up' ? 'ascending' : 'descending'}
              >
                <button type="button" className="sort" onClick={() => setOrder(NEXT_ORDER[order])}>
                  {text.common.value}
                  <span className={`sort-mark ${order}`}>
                    <Icon name="chevron" size={12} />
                  </span>
                </button>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, ROWS_MAX).map((one) => (
              <tr key={JSON.stringify(one.metric)}>
                <td>
                  <SeriesName labels={one.metric} />
                </td>
                <td className="number">
                  <SampleText one={one} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <TableFoot count={result.length} csv={() => vectorToCsv(result)} json={result} />
    </>
  );
}

function MatrixTable(props: { result: Extract<QueryData, { resultType: 'matrix' }>['result'] }) {
  const { zone } = useSettings();
  const text = useText();
  return (
    <>
      <div className="table-scroll">
        <table className="result">
          <tbody>
            {props.result.slice(0, ROWS_MAX).map((one) => (
              <tr key={JSON.stringify(one.metric)}>
                <td>
                  <SeriesName labels={one.metric} />
                  <div className="faint">{text.query.samples((one.values ?? []).length)}</div>
                </td>
                <td className="number">
                  {(one.values ?? []).slice(-SAMPLES_MAX).map(([time, value]) => (
                    <div key={time} className="mono">
                      {value} <span className="faint">@ {formatTime(time * 1000, zone)}</span>
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <TableFoot
        count={props.result.length}
        csv={() => matrixToCsv(props.result)}
        json={props.result}
      />
    </>
  );
}

function TableFoot(props: { count: number; csv: () => string; json: unknown }) {
  const text = useText();
  const { language } = useSettings();
  return (
    <div className="result-foot">
      {props.count > ROWS_MAX ? (
        <p className="annotation tone-info" role="note">
          <Icon name="info" size={14} />{' '}
          {text.query.limitedRows(
            formatCount(ROWS_MAX, language),
            formatCount(props.count, language),
          )}
        </p>
      ) : null}
      <CopyButton getText={props.csv}>{text.query.copyCsv}</CopyButton>
      <CopyButton getText={() => JSON.stringify(props.json, undefined, 2)}>
        {text.query.copyJson}
      </CopyButton>
    </div>
  );
}

/** A series as PromQL writes it, its parts in the colours of the editor. */
export function SeriesName({ labels }: { labels: LabelMap }) {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <span className="series-name mono">
      {name}
      {pairs.length > 0 || name === '' ? '{' : ''}
      {pairs.map(([label, value], index) => (
        <span key={label}>
          {index > 0 ? ', ' : ''}
          <span className="series-label">{label}</span>=
          <span className="series-value">{JSON.stringify(value)}</span>
        </span>
      ))}
      {pairs.length > 0 || name === '' ? '}' : ''}
    </span>
  );
}

function SampleText({ one }: { one: VectorSeries }) {
  const text = useText();
  if (one.histogram !== undefined) {
    const { count, sum } = one.histogram[1];
    return <span className="mono">{text.query.histogram(count, sum)}</span>;
  }
  return <span className="mono">{formatValue(parseSampleValue(one.value?.[1] ?? ''))}</span>;
}

function inOrder(result: readonly VectorSeries[], order: Order): readonly VectorSeries[] {
  if (order === 'none') return result;
  const sign = order === 'up' ? 1 : -1;
  const value = (one: VectorSeries) => parseSampleValue(one.value?.[1] ?? '');
  return [...result].sort((a, b) => sign * (value(a) - value(b)));
}
