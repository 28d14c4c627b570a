export type { Actor } from './actions.ts';
export {
  DEFAULT_CONFIG,
  type DigestConfig,
  type EscalationChain,
  type EscalationStep,
  type IncidentsConfig,
  type Person,
  type PriorityConfig,
  type RecurringSilence,
  type ResponseConfig,
  type ScheduleConfig,
  type ScheduleOverride,
  type SuppressRule,
  type Targets,
} from './config.ts';
export type { AttemptRecord } from './history.ts';
export type { Incident, IncidentAlert, IncidentStatus, TimelineEntry } from './incident.ts';
export { Incidents } from './incidents.ts';
export { onCall } from './onCall.ts';
export type { CommandRequest, CommandResult, IncidentPorts, RuleFacts } from './ports.ts';
export { type Review, reviewOf } from './review.ts';
export { PRIORITIES, type Priority, SEVERITIES, type Severity, severityWords } from './severity.ts';
export { SignedLinks } from './signedLinks.ts';
export { type Statistics, statisticsOf } from './statistics.ts';
export type { Suppression } from './suppressions.ts';
export { instantOf, isTimeZone } from './zonedTime.ts';
