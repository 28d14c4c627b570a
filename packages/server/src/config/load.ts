/**
 * All configuration, read and checked as a whole before any of it is used: prometheus.yml or
 * tyto.yaml, rule files, alertmanager.yml, notification templates.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import {
  type AlertmanagerConfig,
  type MatcherMode,
  NotifyTemplates,
  parseAlertmanagerConfig,
  parseRuleFile,
  type RuleFileOptions,
  type RuleGroupConfig,
} from '@tyto/alerting';
import { type Clock, errorCode, errorMessage, TytoError, yaml } from '@tyto/base';
import { DEFAULT_FEATURES, type Features } from '../features.ts';
import type { ScrapeConfig, ScrapeSection } from '@tyto/collect';
import { DEFAULT_CONFIG, type IncidentsConfig } from '@tyto/incidents';
import type { RetentionRule } from '@tyto/tsdb';
import { glob } from './glob.ts';
import { type IncidentsSection, unknownReceivers } from './incidentsConfig.ts';
import { parseLokiConfig } from './lokiConfig.ts';
import { DEFAULT_LOGS, type LogsConfig, TENANT_DEFAULT } from './logsConfig.ts';
import type { LogsSection } from './logsSection.ts';
import {
  type FilePattern,
  finishJobs,
  parseScrapeFile,
  type PrometheusConfig,
  prometheusSchema,
} from './prometheusConfig.ts';
import { STARTER_RULES, STARTER_RULES_FILE } from './starterRules.ts';
import { looksLikeTyto, type TytoConfig, tytoSchema } from './tytoConfig.ts';

export interface ConfigFiles {
  /** '' for none. */
  readonly config: string;
  readonly alertmanager: string;
  readonly loki?: string | undefined;
}

export interface LoadedConfig {
  readonly prometheus: PrometheusConfig;
  readonly jobs: readonly ScrapeConfig[];
  readonly ruleGroups: readonly RuleGroupConfig[];
  readonly alertmanager: AlertmanagerConfig;
  readonly templates: NotifyTemplates;
  /** Watch this machine and Tyto itself, without a scrape config for it. */
  readonly watchesHost: boolean;
  /** How long some series are kept; the first rule that matches a series decides. */
  readonly retentionRules: readonly RetentionRule[];
  readonly incidents: IncidentsConfig;
  readonly logs: LogsConfig;
  /** The text of the main file, for the status page. */
  readonly source: string;
  /** The texts of the files that have scrape configs, the main one among them. */
  readonly scrapeTexts: readonly string[];
  readonly warnings: readonly yaml.Problem[];
}

/** Without an alertmanager.yml, alerts are grouped and shown, and nobody is notified. */
const NO_RECEIVER = `
route: {receiver: nobody, group_by: [alertname], group_wait: 10s}
receivers: [{name: nobody}]
`;

/** Without a file, everything is fresh enough for a page that somebody looks at. */
const ZERO_CONFIG = 'global: {scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 5s}\n';

class ConfigError extends TytoError {
  constructor(problems: readonly yaml.Problem[]) {
    super('bad_data', yaml.formatProblems(problems));
  }
}

export interface LoadOptions {
  /** Leaves the files alone that the main one names. */
  readonly onlyMain?: boolean;
  /** Fields of rule files that nobody knows are passed over. */
  readonly ignoresUnknownFields?: boolean;
  /** What rules may be written with, among others; nothing that is off by default without it. */
  readonly features?: Features;
}

/** Reads everything. Throws TytoError `bad_data` with all problems, one a line. */
export async function loadConfig(
  files: ConfigFiles,
  clock: Clock,
  { onlyMain = false, ignoresUnknownFields = false, features = DEFAULT_FEATURES }: LoadOptions = {},
): Promise<LoadedConfig> {
  const problems: yaml.Problem[] = [];
  const main = await loadMain(files, problems, features.matcherMode);
  const { prometheus, prometheusBase: base } = main;
  const sections: ScrapeSection[] = [...prometheus.sections];
  const scrapeFiles = onlyMain ? [] : prometheus.scrapeConfigFiles;
  const scrapeTexts = [main.source];
  for (const { text, path } of await namedFiles(scrapeFiles, base, problems)) {
    scrapeTexts.push(text);
    const read = parseScrapeFile(text, path);
    sections.push(...read.sections);
    problems.push(...read.problems);
  }
  const { global } = prometheus;
  const extraScrapeMetrics = global.extraScrapeMetrics || features.extraScrapeMetrics;
  const finished = finishJobs(sections, { ...global, extraScrapeMetrics });
  problems.push(...finished.problems);
  const ruleOptions = { experimental: features.syntax, ignoresUnknownFields };
  const ruleGroups = onlyMain ? [] : await loadRules(main, base, problems, ruleOptions);
  const { alertmanager, incidents } = main;
  const logs = await loadLogs(files, main, problems);
  if (!onlyMain) ruleGroups.push(...(await loadLogRules(logs, base, problems)));
  if (incidents !== undefined && alertmanager !== undefined) {
    const known = alertmanager.receivers.map(({ name }) => name);
    problems.push(...unknownReceivers(incidents, known));
  }
  if (yaml.hasErrors(problems) || alertmanager === undefined) throw new ConfigError(problems);
  return {
    prometheus,
    jobs: finished.jobs,
    ruleGroups,
    alertmanager,
    templates: await loadTemplates(
      onlyMain ? [] : alertmanager.templates,
      main.alertmanagerBase,
      clock,
    ),
    watchesHost: main.watchesHost,
    retentionRules: main.retentionRules,
    incidents: incidents?.config ?? DEFAULT_CONFIG,
    logs,
    source: main.source,
    scrapeTexts,
    warnings: problems,
  };
}

interface MainConfig {
  readonly prometheus: PrometheusConfig;
  /** The directories that relative paths of the two configurations start from. */
  readonly prometheusBase: string;
  readonly alertmanagerBase: string;
  /** Undefined only where there are errors. */
  readonly alertmanager: AlertmanagerConfig | undefined;
  readonly watchesHost: boolean;
  readonly starterRules: boolean;
  readonly retentionRules: readonly RetentionRule[];
  readonly incidents: IncidentsSection | undefined;
  readonly logs: LogsSection | undefined;
  readonly source: string;
}

async function loadMain(
  files: ConfigFiles,
  problems: yaml.Problem[],
  mode: MatcherMode,
): Promise<MainConfig> {
  const source = files.config === '' ? ZERO_CONFIG : await readConfigFile(files.config);
  const file = files.config === '' ? 'built-in configuration' : files.config;
  const base = files.config === '' ? process.cwd() : dirname(resolve(file));
  const isTyto = looksLikeTyto(source, file);
  refuseAlertmanager(source, file);
  const own = isTyto ? decode(source, file, tytoSchema(mode), problems) : undefined;
  if (isTyto && own === undefined) throw new ConfigError(problems);
  const pointed = own?.prometheusFile;
  const path = pointed === undefined ? file : within(base, pointed);
  const isBare = files.config === '' || (isTyto && !own?.prometheus && pointed === undefined);
  const text = pointed !== undefined ? await readConfigFile(path) : isBare ? ZERO_CONFIG : source;
  const prometheus = own?.prometheus ?? decode(text, path, prometheusSchema, problems);
  if (prometheus === undefined) throw new ConfigError(problems);
  return {
    prometheus,
    prometheusBase: pointed === undefined ? base : dirname(resolve(path)),
    ...(await loadAlertmanager(files, own, source, base, problems, mode)),
    watchesHost: own?.watchesHost ?? isBare,
    starterRules: own?.starterRules ?? isBare,
    retentionRules: own?.retentionRules ?? [],
    incidents: own?.incidents,
    logs: own?.logs,
    source: pointed === undefined ? source : text,
  };
}

/** Who moves from Alertmanager has its file behind the flag of the same name. */
function refuseAlertmanager(source: string, file: string): void {
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  if (!keys.includes('route') || !keys.includes('receivers')) return;
  const hint = 'name it with --alertmanager.config.file; --config.file is for prometheus.yml';
  throw new TytoError('bad_data', `${file} is an alertmanager.yml: ${hint}`);
}

function decode<T>(
  text: string,
  file: string,
  schema: yaml.Schema<T>,
  problems: yaml.Problem[],
): T | undefined {
  const decoded = yaml.decodeYaml(text, file, schema);
  problems.push(...decoded.problems);
  return decoded.value;
}

/** From the flag's file, from tyto.yaml or the file that it points to, or the built-in one. */
async function loadAlertmanager(
  files: ConfigFiles,
  own: TytoConfig | undefined,
  source: string,
  base: string,
  problems: yaml.Problem[],
  mode: MatcherMode,
): Promise<Pick<MainConfig, 'alertmanager' | 'alertmanagerBase'>> {
  const pointed = own?.alertmanagerFile;
  if (files.alertmanager === '' && own?.alertmanager !== undefined) {
    return { alertmanager: { ...own.alertmanager, source }, alertmanagerBase: base };
  }
  let file = 'built-in alertmanager.yml';
  if (files.alertmanager !== '') file = files.alertmanager;
  else if (pointed !== undefined) file = within(base, pointed);
  const isBuiltIn = files.alertmanager === '' && pointed === undefined;
  const text = isBuiltIn ? NO_RECEIVER : await readConfigFile(file);
  const read = parseAlertmanagerConfig(text, file, mode);
  problems.push(...read.problems);
  return { alertmanager: read.config, alertmanagerBase: dirname(resolve(file)) };
}

async function loadRules(
  main: MainConfig,
  base: string,
  problems: yaml.Problem[],
  options: RuleFileOptions,
): Promise<RuleGroupConfig[]> {
  const groups: RuleGroupConfig[] = [];
  const add = (text: string, path: string) => {
    const read = parseRuleFile(text, path, options);
    groups.push(...read.groups);
    problems.push(...read.problems);
  };
  if (main.starterRules) add(STARTER_RULES, STARTER_RULES_FILE);
  for (const { text, path } of await namedFiles(main.prometheus.ruleFiles, base, problems)) {
    add(text, path);
  }
  return groups;
}

/** From Loki's file, and what tyto.yaml says over it. */
async function loadLogs(
  files: ConfigFiles,
  main: MainConfig,
  problems: yaml.Problem[],
): Promise<LogsConfig> {
  const { loki = '' } = files;
  let base: LogsConfig | undefined = DEFAULT_LOGS;
  if (loki !== '') {
    const read = parseLokiConfig(await readConfigFile(loki), loki);
    problems.push(...read.problems);
    base = read.config;
  }
  return main.logs?.over(base ?? DEFAULT_LOGS) ?? base ?? DEFAULT_LOGS;
}

/** Groups of LogQL. Where tenants are told apart, a file lies in a directory of its tenant. */
async function loadLogRules(
  { ruleFiles, authEnabled }: LogsConfig,
  base: string,
  problems: yaml.Problem[],
): Promise<RuleGroupConfig[]> {
  const groups: RuleGroupConfig[] = [];
  for (const { text, path } of await namedFiles(ruleFiles, base, problems)) {
    const tenant = authEnabled === true ? basename(dirname(resolve(path))) : TENANT_DEFAULT;
    const read = parseRuleFile(text, path, { logs: { tenant } });
    groups.push(...read.groups);
    problems.push(...read.problems);
  }
  return groups;
}

/** The texts of files that a configuration names; complaints have the place where it does. */
async function namedFiles(
  patterns: readonly FilePattern[],
  base: string,
  problems: yaml.Problem[],
): Promise<{ path: string; text: string }[]> {
  const files: { path: string; text: string }[] = [];
  for (const { pattern, place, isOptional } of patterns) {
    const paths = await glob(pattern, base);
    if (paths.length === 0 && isOptional !== true) {
      problems.push({ severity: 'warning', place, message: `no file matches ${pattern}` });
    }
    for (const path of paths) {
      try {
        files.push({ path, text: await readConfigFile(path) });
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
        problems.push({ severity: 'error', place, message: error.message });
      }
    }
  }
  return files;
}

async function loadTemplates(
  patterns: readonly string[],
  base: string,
  clock: Clock,
): Promise<NotifyTemplates> {
  const files: [string, string][] = [];
  for (const path of await expand(patterns, base)) files.push([path, await readConfigFile(path)]);
  return new NotifyTemplates(files, clock);
}

async function expand(patterns: readonly string[], base: string): Promise<string[]> {
  const found = await Promise.all(patterns.map((pattern) => glob(pattern, base)));
  return found.flat();
}

function within(base: string, path: string): string {
  return isAbsolute(path) ? path : join(base, path);
}

/** Reads a file that somebody named. Throws TytoError `bad_data` that says what to do. */
export async function readConfigFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'it may not be read by this user',
      EISDIR: 'it is a directory, not a file',
    };
    const reason = reasons[code ?? ''] ?? errorMessage(error);
    throw new TytoError('bad_data', `cannot read ${path}: ${reason}`, { cause: error });
  }
}
