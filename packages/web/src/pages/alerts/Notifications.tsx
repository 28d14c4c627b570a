/** Alerts as the Alertmanager holds them: who is told, what is held back and why. */

import type { NotifiedAlert } from '@tyto/api';
import {
  Badge,
  EmptyState,
  LabelChips,
  LoadError,
  OutsideLink,
  SeverityBadge,
  Since,
  Skeleton,
  type Tone,
} from '../../components/basics.tsx';
import type { IconName } from '../../components/icons.tsx';
import type { Dictionary } from '../../i18n/dictionary.ts';
import { useText } from '../../i18n/useText.ts';
import { summaryOf } from '../../lib/alerts.ts';
import { compareLabelMaps } from '../../lib/series.ts';
import { compareSeverity, severityOf } from '../../lib/severity.ts';
import { parseServerTime } from '../../lib/time.ts';
import { api } from '../../state/connection.ts';
import { LIVE_INTERVAL_MS } from '../../state/live.ts';
import { usePoll } from '../../state/poll.ts';

const SHOWN_MAX = 200;

export function Notifications() {
  const text = useText();
  const alerts = usePoll('notified', (signal) => api.alertmanager.alerts({}, { signal }), {
    intervalMs: LIVE_INTERVAL_MS,
  });
  if (alerts.data === undefined) {
    if (alerts.error === undefined) return <Skeleton lines={6} />;
    return <LoadError error={alerts.error} title={text.alerts.notifyFailed} />;
  }
  if (alerts.data.length === 0) {
    return <EmptyState icon="alerts" title={text.alerts.noNotified} />;
  }
  const sorted = [...alerts.data].sort(
    (a, b) =>
      compareSeverity(severityOf(a.labels), severityOf(b.labels)) ||
      parseServerTime(b.startsAt) - parseServerTime(a.startsAt) ||
      compareLabelMaps(a.labels, b.labels),
  );
  return (
    <section className="card">
      <p className="faint">{text.alerts.notified}</p>
      <ul className="rows">
        {sorted.slice(0, SHOWN_MAX).map((alert) => (
          <NotifiedRow key={alert.fingerprint} alert={alert} />
        ))}
      </ul>
      {sorted.length > SHOWN_MAX ? (
        <p className="faint">{text.query.moreSeries(sorted.length - SHOWN_MAX)}</p>
      ) : null}
    </section>
  );
}

function NotifiedRow({ alert }: { alert: NotifiedAlert }) {
  const text = useText();
  const [tone, icon, words] = stateOf(alert, text);
  const summary = summaryOf(alert.annotations);
  const source = alert.generatorURL ?? '';
  return (
    <li className="instance">
      <div className="instance-head">
        <Badge tone={tone} icon={icon}>
          {words}
        </Badge>
        <SeverityBadge severity={severityOf(alert.labels)} />
        <strong className="instance-summary">{alert.labels.alertname}</strong>
        <span className="instance-facts faint">
          {text.alerts.activeSince} <Since ms={parseServerTime(alert.startsAt)} />
        </span>
      </div>
      {summary === undefined ? null : <p>{summary}</p>}
      <LabelChips labels={alert.labels} without={['alertname', 'severity']} />
      <p>
        <span className="faint">{text.alerts.receivers}</span>{' '}
        {alert.receivers.map((receiver) => receiver.name).join(', ')}
        {/^https?:\/\//i.test(source) ? (
          <>
            {' · '}
            <OutsideLink href={source}>{text.alerts.source}</OutsideLink>
          </>
        ) : null}
      </p>
    </li>
  );
}

function stateOf(alert: NotifiedAlert, text: Dictionary): [Tone, IconName, string] {
  const { status } = alert;
  if (status.silencedBy.length > 0) return ['unknown', 'muted', text.alerts.notifySilenced];
  if (status.inhibitedBy.length > 0) return ['unknown', 'muted', text.alerts.notifyInhibited];
  if ((status.mutedBy ?? []).length > 0) return ['unknown', 'muted', text.alerts.notifyMuted];
  if (status.state === 'unprocessed') {
    return ['unknown', 'clock', text.alerts.notifyUnprocessed];
  }
  return ['critical', 'alerts', text.alerts.notifyActive];
}
