/** A group of rules: when it was evaluated, and each rule with its alerts. */

import type { AlertingRule, AlertInstance, Rule, RuleGroup } from '@tyto/api';
import { parseSampleValue } from '@tyto/api';
import { useState } from 'react';
import {
  Ago,
  Badge,
  LabelChips,
  Link,
  OutsideLink,
  SeverityBadge,
  Since,
  type Tone,
} from '../../components/basics.tsx';
import { Icon, type IconName } from '../../components/icons.tsx';
import { useText } from '../../i18n/useText.ts';
import { runbookOf } from '../../lib/alerts.ts';
import { formatSeconds, formatSi, formatSpan } from '../../lib/format.ts';
import { queryLink } from '../../lib/queryState.ts';
import { compareLabelMaps } from '../../lib/series.ts';
import { compareSeverity, severityOf } from '../../lib/severity.ts';
import { parseServerTime } from '../../lib/time.ts';
import { useSettings } from '../../state/settings.ts';

const SHOWN_MAX = 20;

const STATES: Readonly<Record<AlertingRule['state'], readonly [tone: Tone, icon: IconName]>> = {
  firing: ['critical', 'critical'],
  pending: ['warning', 'clock'],
  inactive: ['good', 'good'],
  unknown: ['unknown', 'unknown'],
};

const STATE_ORDER: readonly string[] = ['firing', 'pending', 'inactive', 'unknown'];

export function RuleGroupCard({ group }: { group: RuleGroup }) {
  const text = useText();
  const { language } = useSettings();
  const order = (rule: Rule) => (rule.type === 'alerting' ? STATE_ORDER.indexOf(rule.state) : 9);
  const rules = [...group.rules].sort((a, b) => order(a) - order(b));
  return (
    <section className="card" aria-label={group.name}>
      <div className="group-head">
        <h2>{group.name}</h2>
        <span className="mono faint">{group.file}</span>
        <span className="faint group-times">
          {text.alerts.every(formatSpan(group.interval * 1000, language))} ·{' '}
          <Evaluated ms={parseServerTime(group.lastEvaluation)} seconds={group.evaluationTime} />
        </span>
      </div>
      <ul className="rows">
        {rules.map((rule) => (
          <RuleRow
            key={`${rule.type} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)}`}
            rule={rule}
          />
        ))}
      </ul>
    </section>
  );
}

function Evaluated({ ms, seconds }: { ms: number; seconds: number }) {
  const text = useText();
  const words = text.alerts.evaluated('\u0000', formatSeconds(seconds));
  const [before = '', after = ''] = words.split('\u0000');
  return (
    <>
      {before}
      <Ago ms={ms} />
      {after}
    </>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const text = useText();
  const alerts = rule.type === 'alerting' ? (rule.alerts ?? []) : [];
  const isLoud = rule.type === 'alerting' && rule.state === 'firing';
  return (
    <li className="rule">
      <details open={isLoud || rule.health === 'err'}>
        <summary>
          <RuleMark rule={rule} />
          <strong className="rule-name">{rule.name}</strong>
          {alerts.length > 0 ? <span className="count">{alerts.length}</span> : null}
          {rule.health === 'err' ? (
            <Badge tone="warning" icon="warning">
              {text.targets.error}
            </Badge>
          ) : null}
          <span className="rule-chevron">
            <Icon name="chevron" />
          </span>
        </summary>
        <div className="rule-body">
          <RuleFacts rule={rule} />
          {rule.health === 'err' ? (
            <div className="notice tone-warning">
              <Icon name="warning" />
              <div>
                <strong>{text.alerts.lastError}</strong>
                <p className="mono wrap">{rule.lastError}</p>
              </div>
            </div>
          ) : null}
          {rule.type === 'alerting' ? <Instances alerts={alerts} ruleState={rule.state} /> : null}
        </div>
      </details>
    </li>
  );
}

function RuleMark({ rule }: { rule: Rule }) {
  const text = useText();
  if (rule.type === 'recording') {
    return (
      <Badge tone="unknown" icon="query">
        {text.alerts.recording}
      </Badge>
    );
  }
  const [tone, icon] = STATES[rule.state];
  return (
    <span className="rule-state">
      <Badge tone={tone} icon={icon}>
        {text.alerts[rule.state]}
      </Badge>
    </span>
  );
}

function RuleFacts({ rule }: { rule: Rule }) {
  const text = useText();
  const { language } = useSettings();
  const facts: string[] = [];
  if (rule.type === 'alerting' && rule.duration > 0) {
    facts.push(text.alerts.forDuration(formatSpan(rule.duration * 1000, language)));
  }
  if (rule.type === 'alerting' && (rule.keepFiringFor ?? 0) > 0) {
    facts.push(text.alerts.keepFiring(formatSpan((rule.keepFiringFor ?? 0) * 1000, language)));
  }
  return (
    <>
      <div className="rule-expr">
        <code className="mono wrap">{rule.query}</code>
        <Link to={queryLink(rule.query)} className="button small" label={text.alerts.openQuery}>
          {text.home.openQuery}
        </Link>
      </div>
      <div className="rule-facts">
        {facts.length > 0 ? <span className="faint">{facts.join(' · ')}</span> : null}
        <LabelChips labels={rule.labels ?? {}} />
      </div>
    </>
  );
}

function Instances(props: { alerts: readonly AlertInstance[]; ruleState: string }) {
  const { alerts, ruleState } = props;
  const text = useText();
  const [limit, setLimit] = useState(SHOWN_MAX);
  const sorted = [...alerts].sort(
    (a, b) =>
      STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
      compareSeverity(severityOf(a.labels), severityOf(b.labels)) ||
      compareLabelMaps(a.labels, b.labels),
  );
  const rest = sorted.length - limit;
  return (
    <>
      <ul className="instances">
        {sorted.slice(0, limit).map((alert) => (
          <Instance
            key={JSON.stringify(alert.labels)}
            alert={alert}
            isStateShown={alert.state !== ruleState}
          />
        ))}
      </ul>
      {rest > 0 ? (
        <button type="button" className="button small" onClick={() => setLimit(limit * 4)}>
          {text.common.showMore(rest)}
        </button>
      ) : null}
    </>
  );
}

function Instance({ alert, isStateShown }: { alert: AlertInstance; isStateShown: boolean }) {
  const text = useText();
  const [tone, icon] = STATES[alert.state];
  const runbook = runbookOf(alert.annotations);
  const { summary, description, runbook_url: _url, runbook: _book, ...others } = alert.annotations;
  return (
    <li className="instance">
      <div className="instance-head">
        {isStateShown ? (
          <Badge tone={tone} icon={icon}>
            {text.alerts[alert.state]}
          </Badge>
        ) : null}
        <SeverityBadge severity={severityOf(alert.labels)} />
        {summary === undefined ? null : <strong className="instance-summary">{summary}</strong>}
        {runbook === undefined ? null : (
          <OutsideLink href={runbook}>{text.home.openRunbook}</OutsideLink>
        )}
        <span className="instance-facts faint">
          {text.common.value}{' '}
          <span className="mono">{formatSi(parseSampleValue(alert.value))}</span>
          {' · '}
          {text.alerts.activeSince} <Since ms={parseServerTime(alert.activeAt)} />
        </span>
      </div>
      {description === undefined ? null : <p>{description}</p>}
      <LabelChips labels={alert.labels} without={['alertname', 'severity']} />
      {Object.entries(others).map(([name, value]) => (
        <p key={name} className="wrap">
          <span className="faint">{name}</span> {value}
        </p>
      ))}
    </li>
  );
}
