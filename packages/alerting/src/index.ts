export type { NotificationLinks } from './notify/notification.ts';
export { NotifyTemplates } from './notify/notifyTemplate.ts';
export type { AlertEvents, NotifyAdvisor, NotifyAttempt } from './events.ts';
export { AlertGroup } from './routing/alertGroup.ts';
export { compareAlerts, compareSets } from './routing/alertOrder.ts';
export type { PostedAlert, StoredAlert } from './routing/alertStore.ts';
export {
  type AlertmanagerConfig,
  alertmanagerSchema,
  type InhibitRule,
  parseAlertmanagerConfig,
  type RouteConfig,
} from './routing/config.ts';
export type { NotifyObserver } from './routing/delivery.ts';
export {
  type AlertStatus,
  type DirectNotification,
  Dispatcher,
  type DispatcherOptions,
} from './routing/dispatcher.ts';
export { fingerprint } from './routing/fingerprint.ts';
export {
  type MatcherMode,
  matcherText,
  parseMatcher,
  parseMatchers,
} from './routing/matcherText.ts';
export { buildRoute, groupLabels, matchRoutes, type Route } from './routing/route.ts';
export {
  type Silence,
  type SilenceLimits,
  type SilenceMatcher,
  Silences,
  type SilenceState,
} from './routing/silences.ts';
export {
  TimeIntervals,
  type TimeIntervalSpec,
  timeIntervalSpec,
} from './routing/timeInterval.ts';
export { type ActiveAlert, AlertingRule, generatorUrl } from './rules/alertingRule.ts';
export {
  type AlertingRuleConfig,
  parseRuleFile,
  type RecordingRuleConfig,
  type RuleConfig,
  type RuleFileOptions,
  type RuleGroupConfig,
} from './rules/ruleFile.ts';
export {
  evaluationTimeMs,
  type GroupDependencies,
  RuleGroup,
  type RuleStatus,
} from './rules/ruleGroup.ts';
export { RuleManager } from './rules/ruleManager.ts';
export { MemoryStateStore, type StateStore } from './stateStore.ts';
export { expandRuleTemplate, RULE_TEMPLATE_FUNCTIONS } from './rules/ruleTemplate.ts';
