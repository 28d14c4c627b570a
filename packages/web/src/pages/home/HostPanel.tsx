/** The golden signals of one host: CPU, memory, disk, network, space. */

import type { ActiveTarget } from '@tyto/api';
import { parseDuration } from '@tyto/base';
import { EmptyState, LoadError } from '../../components/basics.tsx';
import { useText } from '../../i18n/useText.ts';
import { rateWindow } from '../../lib/hostSignals.ts';
import type { Strain } from '../../lib/verdict.ts';
import { type HostName, useHost, useHosts, useStrains } from '../../state/host.ts';
import { navigate, useLocation } from '../../state/router.ts';
import { SignalCards } from './SignalCards.tsx';
import { SpaceCard } from './SpaceCard.tsx';

export function HostPanel({ targets }: { targets: readonly ActiveTarget[] }) {
  const text = useText();
  const hosts = useHosts();
  const strains = useStrains();
  const { search } = useLocation();
  const wanted = new URLSearchParams(search).get('host');
  const names = hosts.data ?? [];
  const host = names.find((one) => keyOf(one) === wanted) ?? preferred(names, strains.data ?? []);
  const target = targets.find(
    (one) => one.labels.job === host?.job && one.labels.instance === host?.instance,
  );
  const window = rateWindow(parseDuration(target?.scrapeInterval ?? ''));
  const state = useHost(host, window);
  if (hosts.data !== undefined && host === undefined) {
    return (
      <section className="card">
        <EmptyState icon="status" title={text.home.noHosts}>
          {text.home.noHostsDetail}
        </EmptyState>
      </section>
    );
  }
  return (
    <section aria-labelledby="host-title">
      <div className="section-head">
        <h2 id="host-title">
          {text.home.hosts}
          {host === undefined || names.length > 1 ? null : (
            <span className="host-name">{displayName(host)}</span>
          )}
        </h2>
        {names.length > 1 && host !== undefined ? (
          <HostPicker names={names} selected={host} />
        ) : null}
        <span className="faint">{text.home.lastHour}</span>
      </div>
      {state.error !== undefined && state.data === undefined && !state.error.isUnreachable ? (
        <LoadError error={state.error} />
      ) : null}
      <div className="signals">
        <SignalCards state={state.data} host={host} window={window} />
        <SpaceCard state={state.data} host={host} />
      </div>
    </section>
  );
}

function HostPicker(props: { names: readonly HostName[]; selected: HostName }) {
  const text = useText();
  return (
    <select
      className="input"
      aria-label={text.home.chooseHost}
      value={keyOf(props.selected)}
      onChange={(event) => {
        navigate(`?host=${encodeURIComponent(event.currentTarget.value)}`, { replace: true });
      }}
    >
      {props.names.map((one) => (
        <option key={keyOf(one)} value={keyOf(one)}>
          {`${one.job} / ${displayName(one)}`}
        </option>
      ))}
    </select>
  );
}

/** A host at its limit; else job "node", the machine that Tyto watches by itself. */
function preferred(names: readonly HostName[], strains: readonly Strain[]): HostName | undefined {
  const strained = names.find((one) =>
    strains.some(({ job, instance }) => job === one.job && instance === one.instance),
  );
  if (strained !== undefined) return strained;
  return names.find((one) => one.job === 'node') ?? names[0];
}

function keyOf(host: HostName): string {
  return `${host.job}/${host.instance}`;
}

function displayName(host: HostName): string {
  if (host.nodename === undefined || host.instance.startsWith(host.nodename)) return host.instance;
  return `${host.nodename} (${host.instance})`;
}
