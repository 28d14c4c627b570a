/** Rules with their state, and what the Alertmanager makes of what fires. */

import type { Rule, RuleGroup } from '@tyto/api';
import { Choices, EmptyState, FilterInput, LoadError, Skeleton } from '../components/basics.tsx';
import { useText } from '../i18n/useText.ts';
import { useRules } from '../state/live.ts';
import { useSearchValue } from '../state/searchValue.ts';
import { Notifications } from './alerts/Notifications.tsx';
import { RuleGroupCard } from './alerts/RuleGroupCard.tsx';
import '../styles/lists.css';

const STATES = ['firing', 'pending', 'inactive'] as const;

export function AlertsPage() {
  const text = useText();
  const [view, setView] = useSearchValue('view');
  const isNotifications = view === 'notifications';
  return (
    <div className="page">
      <div className="page-head">
        <h1>{text.alerts.title}</h1>
        <Choices
          label={text.alerts.title}
          value={isNotifications ? 'notifications' : 'rules'}
          choices={[
            ['rules', text.alerts.rules],
            ['notifications', text.alerts.notifications],
          ]}
          onChange={(next) => setView(next === 'rules' ? '' : next)}
        />
      </div>
      {isNotifications ? <Notifications /> : <Rules />}
    </div>
  );
}

function Rules() {
  const text = useText();
  const rules = useRules();
  const [filter, setFilter] = useSearchValue('q');
  const [state, setState] = useSearchValue('state');
  if (rules.data === undefined) {
    return rules.error === undefined ? <Skeleton lines={8} /> : <LoadError error={rules.error} />;
  }
  const all = rules.data.flatMap((group) => group.rules);
  const count = (one: string) => all.filter((rule) => stateFits(rule, one)).length;
  const groups = rules.data
    .map((group) => ({
      ...group,
      rules: group.rules.filter((rule) => stateFits(rule, state) && textFits(rule, group, filter)),
    }))
    .filter((group) => group.rules.length > 0);
  return (
    <>
      <div className="filters">
        <Choices
          label={text.alerts.state}
          value={state}
          choices={[
            ['', `${text.common.all} ${all.length}`],
            ...STATES.map((one) => [one as string, `${text.alerts[one]} ${count(one)}`] as const),
            ...(count('recording') > 0
              ? [['recording', `${text.alerts.recording} ${count('recording')}`] as const]
              : []),
            ...(count('error') > 0
              ? [['error', `${text.targets.error} ${count('error')}`] as const]
              : []),
          ]}
          onChange={setState}
        />
        <FilterInput value={filter} placeholder={text.alerts.filterHint} onChange={setFilter} />
      </div>
      {all.length === 0 ? (
        <EmptyState icon="alerts" title={text.alerts.noRules}>
          {text.alerts.noRulesDetail}
        </EmptyState>
      ) : null}
      {all.length > 0 && groups.length === 0 ? (
        <EmptyState icon="alerts" title={text.alerts.noMatch} />
      ) : null}
      {groups.map((group) => (
        <RuleGroupCard key={`${group.file} ${group.name}`} group={group} />
      ))}
    </>
  );
}

function stateFits(rule: Rule, state: string): boolean {
  if (state === '') return true;
  if (state === 'error') return rule.health === 'err';
  if (state === 'recording') return rule.type === 'recording';
  return rule.type === 'alerting' && rule.state === state;
}

/** Every word of the filter occurs in the rule, its labels or those of its alerts. */
function textFits(rule: Rule, group: RuleGroup, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const alerts = rule.type === 'alerting' ? (rule.alerts ?? []) : [];
  const labels = [rule.labels ?? {}, ...alerts.map((alert) => alert.labels)].flatMap((one) =>
    Object.entries(one).map(([name, value]) => `${name}=${value}`),
  );
  const text = [rule.name, rule.query, group.name, ...labels].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}
