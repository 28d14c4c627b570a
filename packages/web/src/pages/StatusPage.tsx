/** Tyto about itself: build, runtime, storage, flags, configuration. */

import type { NamedCount } from '@tyto/api';
import { type ReactNode, useState } from 'react';
import { CopyButton, FilterInput, LoadError, Since, Skeleton } from '../components/basics.tsx';
import { useText } from '../i18n/useText.ts';
import { formatBytes, formatCount } from '../lib/format.ts';
import { formatTimeZoned, parseServerTime } from '../lib/time.ts';
import { api } from '../state/connection.ts';
import { type Polled, usePoll } from '../state/poll.ts';
import { useSettings } from '../state/settings.ts';
import '../styles/lists.css';

const STATUS_INTERVAL_MS = 15_000;

export function StatusPage() {
  const text = useText();
  return (
    <div className="page">
      <div className="page-head">
        <h1>{text.status.title}</h1>
      </div>
      <div className="status-grid">
        <BuildCard />
        <RuntimeCard />
        <HeadCard />
      </div>
      <Cardinality />
      <Flags />
      <Configuration />
    </div>
  );
}

function StatusCard<Data>(props: {
  title: string;
  polled: Polled<Data>;
  children: (data: Data) => ReactNode;
}) {
  const { polled } = props;
  return (
    <section className="card" aria-label={props.title}>
      <h2 className="card-title">{props.title}</h2>
      {polled.data !== undefined ? props.children(polled.data) : null}
      {polled.data === undefined && polled.error === undefined ? <Skeleton lines={5} /> : null}
      {polled.data === undefined && polled.error !== undefined ? (
        <LoadError error={polled.error} />
      ) : null}
    </section>
  );
}

function Facts({ rows }: { rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value === '' || value === undefined ? '–' : value}</dd>
        </div>
      ))}
    </dl>
  );
}

function BuildCard() {
  const text = useText();
  const build = usePoll('buildinfo', async (signal) => (await api.buildInfo({ signal })).data, {
    intervalMs: undefined,
  });
  return (
    <StatusCard title={text.status.build} polled={build}>
      {(data) => (
        <Facts
          rows={[
            [text.status.version, data.version],
            [
              text.status.revision,
              <span key="r" className="mono wrap">
                {data.revision}
              </span>,
            ],
            [text.status.branch, data.branch],
            [text.status.buildDate, data.buildDate],
            [text.status.platform, data.goVersion],
          ]}
        />
      )}
    </StatusCard>
  );
}

function RuntimeCard() {
  const text = useText();
  const { zone } = useSettings();
  const runtime = usePoll(
    'runtimeinfo',
    async (signal) => (await api.runtimeInfo({ signal })).data,
    {
      intervalMs: STATUS_INTERVAL_MS,
    },
  );
  return (
    <StatusCard title={text.status.runtime} polled={runtime}>
      {(data) => {
        const startedMs = parseServerTime(data.startTime);
        const reloadedMs = parseServerTime(data.lastConfigTime);
        return (
          <Facts
            rows={[
              [text.status.started, formatTimeZoned(startedMs, zone)],
              [text.status.uptime, <Since key="s" ms={startedMs} />],
              [
                text.status.reload,
                data.reloadConfigSuccess ? (
                  `${text.status.reloadGood}, ${formatTimeZoned(reloadedMs, zone)}`
                ) : (
                  <strong key="b" className="bad">
                    {text.status.reloadBad}
                  </strong>
                ),
              ],
              [text.status.retention, data.storageRetention],
              [text.status.corruption, String(data.corruptionCount)],
              [text.status.processors, String(data.GOMAXPROCS)],
              [
                text.status.workingDirectory,
                <span key="w" className="mono wrap">
                  {data.CWD}
                </span>,
              ],
            ]}
          />
        );
      }}
    </StatusCard>
  );
}

function useTsdb() {
  return usePoll('tsdb', async (signal) => (await api.tsdbStatus({ signal })).data, {
    intervalMs: STATUS_INTERVAL_MS,
  });
}

function HeadCard() {
  const text = useText();
  const { language, zone } = useSettings();
  return (
    <StatusCard title={text.status.head} polled={useTsdb()}>
      {({ headStats }) => (
        <Facts
          rows={[
            [text.status.series, formatCount(headStats.numSeries, language)],
            [text.status.chunks, formatCount(headStats.chunkCount, language)],
            [text.status.labelPairs, formatCount(headStats.numLabelPairs, language)],
            [text.status.oldest, formatTimeZoned(headStats.minTime, zone)],
            [text.status.newest, formatTimeZoned(headStats.maxTime, zone)],
          ]}
        />
      )}
    </StatusCard>
  );
}

function Cardinality() {
  const text = useText();
  const { language } = useSettings();
  const count = (value: number) => formatCount(value, language);
  return (
    <StatusCard title={text.status.cardinality} polled={useTsdb()}>
      {(data) => (
        <div className="status-grid">
          <TopList
            title={text.status.byMetric}
            list={data.seriesCountByMetricName}
            format={count}
          />
          <TopList
            title={text.status.byLabel}
            list={data.labelValueCountByLabelName}
            format={count}
          />
          <TopList
            title={text.status.byPair}
            list={data.seriesCountByLabelValuePair}
            format={count}
          />
          <TopList
            title={text.status.memoryByLabel}
            list={data.memoryInBytesByLabelName}
            format={formatBytes}
          />
        </div>
      )}
    </StatusCard>
  );
}

function TopList(props: {
  title: string;
  list: readonly NamedCount[] | undefined;
  format: (value: number) => string;
}) {
  const list = props.list ?? [];
  const most = Math.max(1, ...list.map((one) => one.value));
  return (
    <div>
      <h3>{props.title}</h3>
      <ul className="top">
        {list.map((one) => (
          <li key={one.name}>
            <span className="top-bar" style={{ width: `${(one.value / most) * 100}%` }} />
            <span className="top-name mono">{one.name}</span>
            <span className="top-value">{props.format(one.value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Flags() {
  const text = useText();
  const [filter, setFilter] = useState('');
  const flags = usePoll('flags', async (signal) => (await api.flags({ signal })).data, {
    intervalMs: undefined,
  });
  return (
    <StatusCard title={text.status.flags} polled={flags}>
      {(data) => (
        <>
          <FilterInput value={filter} placeholder={text.status.flagsFilter} onChange={setFilter} />
          <dl className="flags mono">
            {Object.entries(data)
              .filter(([name, value]) => `--${name}=${value}`.includes(filter))
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, value]) => (
                <div key={name}>
                  <dt>--{name}</dt>
                  <dd className="wrap">{value}</dd>
                </div>
              ))}
          </dl>
        </>
      )}
    </StatusCard>
  );
}

function Configuration() {
  const text = useText();
  const config = usePoll('config', async (signal) => (await api.config({ signal })).data, {
    intervalMs: undefined,
  });
  return (
    <StatusCard title={text.status.config} polled={config}>
      {(data) => (
        <>
          <CopyButton getText={() => data.yaml}>{text.common.copy}</CopyButton>
          <pre className="yaml mono">{data.yaml}</pre>
        </>
      )}
    </StatusCard>
  );
}
