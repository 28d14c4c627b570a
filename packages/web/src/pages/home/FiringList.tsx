/** The alerts that fire, one entry per rule, the gravest first. */

import { useState } from 'react';
import {
  Badge,
  LabelChips,
  Link,
  OutsideLink,
  SeverityBadge,
  Since,
} from '../../components/basics.tsx';
import { Icon } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { type FiringInstance, type FiringRule, runbookOf, summaryOf } from '../../lib/alerts.ts';
import { queryLink } from '../../lib/queryState.ts';

/** Instances shown before the reader asks for all. */
const INSTANCES_SHOWN = 4;

export function FiringList({ firing }: { firing: readonly FiringRule[] }) {
  const text = useText();
  const instanceCount = firing.reduce((sum, rule) => sum + rule.instances.length, 0);
  return (
    <section className="card" aria-labelledby="firing-alerts">
      <h2 id="firing-alerts" className="card-title">
        {text.home.firingAlerts}
        <span className="count tone-critical">{instanceCount}</span>
      </h2>
      <ul className="firing">
        {firing.map((rule) => (
          <FiringEntry key={rule.key} firing={rule} />
        ))}
      </ul>
    </section>
  );
}

function FiringEntry({ firing }: { firing: FiringRule }) {
  const text = useText();
  const [isOpen, setIsOpen] = useState(false);
  const { instances, rule } = firing;
  const shown = isOpen ? instances : instances.slice(0, INSTANCES_SHOWN);
  const hiddenCount = instances.length - INSTANCES_SHOWN;
  const common = commonDescription(instances);
  const runbook = runbookOf(instances[0]?.alert.annotations ?? {});
  return (
    <li className={`firing-rule tone-${firing.severity}`}>
      <div className="firing-head">
        <SeverityBadge severity={firing.severity} />
        <strong className="firing-name">{firing.name}</strong>
        {instances.length > 1 ? (
          <span className="faint">{text.home.instances(instances.length)}</span>
        ) : null}
        <span className="firing-links">
          <Link to={queryLink(rule.query, { tab: 'graph' })} className="button small">
            {text.home.openQuery}
          </Link>
          {runbook === undefined ? null : (
            <span className="button small">
              <OutsideLink href={runbook}>{text.home.openRunbook}</OutsideLink>
            </span>
          )}
        </span>
      </div>
      {common === undefined ? null : <p className="faint">{common}</p>}
      <ul className="firing-instances">
        {shown.map((instance) => (
          <FiringInstanceRow
            key={JSON.stringify(instance.alert.labels)}
            instance={instance}
            isDescribed={common !== undefined}
          />
        ))}
      </ul>
      {hiddenCount > 0 ? (
        <button type="button" className="button ghost small" onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? text.common.showLess : text.common.showMore(hiddenCount)}
        </button>
      ) : null}
    </li>
  );
}

/** The description that all instances share, which is then said once. */
function commonDescription(instances: readonly FiringInstance[]): string | undefined {
  const [first] = instances;
  const description = first?.alert.annotations.description;
  if (instances.length < 2 || first?.alert.annotations.summary === undefined) return undefined;
  const isCommon = instances.every((one) => one.alert.annotations.description === description);
  return isCommon ? description : undefined;
}

function FiringInstanceRow(props: { instance: FiringInstance; isDescribed: boolean }) {
  const { instance } = props;
  const text = useText();
  const { alert } = instance;
  const summary = summaryOf(alert.annotations);
  const description = alert.annotations.description;
  return (
    <li className="firing-instance">
      <div className="firing-summary">
        <p>
          {instance.isSilenced ? (
            <Badge tone="unknown" icon="muted">
              {text.home.isSilenced}
            </Badge>
          ) : null}
          {summary ?? alert.labels.alertname}
        </p>
        {!props.isDescribed && description !== undefined && description !== summary ? (
          <p className="faint">{description}</p>
        ) : null}
        <LabelChips labels={alert.labels} without={['alertname', 'severity']} />
      </div>
      <span className="firing-since" title={text.common.since}>
        <Icon name="clock" size={13} /> <Since ms={instance.sinceMs} />
      </span>
    </li>
  );
}
