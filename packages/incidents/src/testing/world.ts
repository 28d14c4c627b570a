/** A world for tests: a clock that they move, alerts that they fire, and everybody who is told. */
import { fingerprint, MemoryStateStore, type StoredAlert } from '@tyto/alerting';
import { ManualClock, silentLogger } from '@tyto/base';
import { type Alert, createMatcher, Labels, type Matcher } from '@tyto/model';
import { DEFAULT_CONFIG, type IncidentsConfig } from '../config.ts';
import { Incidents } from '../incidents.ts';
import type { CommandRequest, CommandResult, IncidentPorts, RuleFacts } from '../ports.ts';
import { SignedLinks } from '../signedLinks.ts';

/** 2026-11-23, a Monday, 08:00 UTC. */
const MONDAY_MS = Date.UTC(2026, 10, 23, 8);
export const MINUTE_MS = 60_000;

export interface World {
  readonly clock: ManualClock;
  readonly state: MemoryStateStore;
  readonly incidents: Incidents;
  /** `receiver: firing A B; resolved C` of everything that was told by us, in order. */
  readonly told: string[];
  readonly posted: { readonly url: string; readonly body: unknown }[];
  readonly commands: CommandRequest[];
  readonly raised: Alert[];
  /** Receivers that cannot be reached. */
  readonly broken: Set<string>;
  /** Receivers that never answer. */
  readonly hanging: Set<string>;
  readonly silenced: Set<string>;
  readonly rules: RuleFacts[];
  readonly probes: Map<string, number>;
  commandResult: () => Promise<CommandResult>;
  fire(labels: Readonly<Record<string, string>>, value?: number): StoredAlert;
  resolve(alert: StoredAlert, value?: number): void;
  /** The end of the process, and the beginning of the next one on the same state. */
  restart(config?: Partial<IncidentsConfig>): Promise<World>;
}

export async function startWorld(
  config: Partial<IncidentsConfig> = {},
  clock = new ManualClock(MONDAY_MS),
  state = new MemoryStateStore(),
  alerts = new Map<string, StoredAlert>(),
): Promise<World> {
  const told: string[] = [];
  const posted: { url: string; body: unknown }[] = [];
  const commands: CommandRequest[] = [];
  const raised: Alert[] = [];
  const broken = new Set<string>();
  const hanging = new Set<string>();
  const silenced = new Set<string>();
  const rules: RuleFacts[] = [];
  const probes = new Map<string, number>();
  const selfWatch = { ...DEFAULT_CONFIG.selfWatch, isFailureWatched: true };
  const whole = { ...DEFAULT_CONFIG, showsLinks: true, selfWatch, ...config };
  const ports: IncidentPorts = {
    clock,
    logger: silentLogger,
    state,
    externalUrl: 'http://tyto.test',
    tell: async (receiver, given, { groupKey, reason }) => {
      if (hanging.has(receiver)) return await new Promise<boolean>(() => undefined);
      const isWorking = !broken.has(receiver);
      if (isWorking) told.push(`${receiver}: ${describe(given, clock.nowMs())}`);
      const firing = given.filter(({ endsAtMs }) => endsAtMs > clock.nowMs());
      const resolved = given.filter(({ endsAtMs }) => endsAtMs <= clock.nowMs());
      const outcome = isWorking ? 'delivered' : 'failed';
      const about = { integration: 'webhook', index: 0, attempt: 1, durationMs: 5 };
      const error = isWorking ? '' : 'connection refused';
      incidents.attempted({
        ...about,
        atMs: clock.nowMs(),
        receiver,
        groupKey,
        reason,
        firing,
        resolved,
        outcome,
        error,
      });
      return isWorking;
    },
    alertOf: (key) => alerts.get(key),
    alerts: () => alerts.values(),
    silencedBy: (alert) => (silenced.has(alert.labels.get('alertname')) ? ['a silence'] : []),
    rules: () => rules,
    receivers: () => ['pager', 'chat', 'mail'],
    raise: (alert) => raised.push(alert),
    post: async (url, body) => {
      posted.push({ url, body });
      return 'ok';
    },
    run: async (request) => {
      commands.push(request);
      return await world.commandResult();
    },
    probe: async (url, method) => {
      const status = probes.get(`${method} ${url}`);
      if (status === undefined) throw new Error('no such host');
      return status;
    },
  };
  const incidents: Incidents = new Incidents(ports, await SignedLinks.open(state), whole);
  const put = (labels: Readonly<Record<string, string>>, endsAtMs: number, value?: number) => {
    const known = alerts.get(fingerprint(Labels.of(labels)));
    const alert: StoredAlert = {
      labels: Labels.of(labels),
      annotations: Labels.of({ summary: `${labels.alertname} is wrong` }),
      startsAtMs: clock.nowMs(),
      endsAtMs,
      generatorUrl: 'http://tyto.test/graph',
      fingerprint: fingerprint(Labels.of(labels)),
      updatedAtMs: clock.nowMs(),
      value: value ?? known?.value,
    };
    alerts.set(alert.fingerprint, alert);
    return alert;
  };
  const world: World = {
    clock,
    state,
    incidents,
    told,
    posted,
    commands,
    raised,
    broken,
    hanging,
    silenced,
    rules,
    probes,
    commandResult: async () => ({ exitCode: 0, output: 'done', error: '' }),
    fire(labels, value) {
      const alert = put(labels, clock.nowMs() + 1e12, value);
      incidents.fired(alert);
      return alert;
    },
    resolve(alert, value) {
      incidents.resolved(put(alert.labels.toRecord(), clock.nowMs(), value));
    },
    async restart(more = {}) {
      incidents.stop();
      await clock.advance(0);
      return await startWorld({ ...config, ...more }, clock, state, alerts);
    },
  };
  incidents.start();
  await clock.advance(0);
  return world;
}

export function matchers(...texts: string[]): Matcher[] {
  return texts.map((text) => {
    const [name, value] = text.split('=');
    return createMatcher('=', name, value);
  });
}

function describe(alerts: readonly StoredAlert[], nowMs: number): string {
  const names = (list: readonly StoredAlert[]) =>
    list.map(({ labels }) => labels.get('alertname')).join(' ');
  const firing = alerts.filter(({ endsAtMs }) => endsAtMs > nowMs);
  const resolved = alerts.filter(({ endsAtMs }) => endsAtMs <= nowMs);
  const parts = [firing.length > 0 ? `firing ${names(firing)}` : ''];
  if (resolved.length > 0) parts.push(`resolved ${names(resolved)}`);
  return parts.filter(Boolean).join('; ');
}
