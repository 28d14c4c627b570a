/** The routes of logs over a store in memory, for tests. */
import { MemoryStateStore, RuleManager } from '@tyto/alerting';
import { ManualClock, silentLogger, TytoError } from '@tyto/base';
import { LogqlEngine } from '@tyto/logql';
import { type LogStore, MemoryLogStore } from '@tyto/model';
import Fastify, { type FastifyInstance } from 'fastify';
import { LOG_BODY_BYTES_MAX, LogBodies } from '../logs/logBodies.ts';
import { LogRules } from '../logs/logRules.ts';
import { LogService } from '../logs/logService.ts';
import { HeldBodies } from '../http/heldBodies.ts';
import { registerLogRoutes } from '../http/logRoutes.ts';

export interface LogFixture {
  readonly app: FastifyInstance;
  readonly clock: ManualClock;
  readonly store: MemoryLogStore;
  readonly logs: LogService;
  readonly logRules: LogRules;
}

export function logFixture(nowMs: number): LogFixture {
  const clock = new ManualClock(nowMs);
  const store = new MemoryLogStore();
  const state = new MemoryStateStore();
  const logger = silentLogger;
  const engine = (seen: LogStore) => new LogqlEngine({ store: seen, clock });
  const logs = new LogService({ clock, logger, state, store, engine });
  const logRules = new LogRules(state);
  const app = Fastify({ logger: false });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_, body, done) => done(null, new URLSearchParams(String(body))),
  );
  registerLogRoutes(app, {
    clock,
    logger,
    logs,
    logRules,
    logBodies: new LogBodies(),
    heldLogBodies: new HeldBodies(LOG_BODY_BYTES_MAX, LOG_BODY_BYTES_MAX),
    rules: new RuleManager(),
    columnar: { sql: () => Promise.reject(new TytoError('unavailable', 'no store')) },
    onLogRules: async () => {},
    isReady: () => true,
  });
  return { app, clock, store, logs, logRules };
}
