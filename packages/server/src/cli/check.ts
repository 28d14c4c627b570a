/** `tyto check …`: files, metrics and servers, checked as promtool does. See docs/tools.md. */
import { type AlertmanagerConfig, parseRuleFile, type RuleGroupConfig } from '@tyto/alerting';
import { formatPlace, must, parseDuration, systemClock, TytoError, yaml } from '@tyto/base';
import { loadConfig, readConfigFile } from '../config/load.ts';
import { HTTP_CONFIG_FLAG } from './apiClient.ts';
import { checkNamedFiles } from './check/configFiles.ts';
import {
  CONFIG_LINTS,
  lintDuplicateRules,
  lintScrapeIntervals,
  parseLints,
  RULE_LINTS,
} from './check/lint.ts';
import { checkMetrics } from './check/metrics.ts';
import { checkServer } from './check/server.ts';
import { checkWebConfig } from './check/webConfig.ts';
import {
  type Command,
  type CommandCall,
  complain,
  print,
  readStandardInput,
  runCommands,
} from './commands.ts';
import { type Features, parseFeatures } from '../features.ts';
import { ENABLE_FEATURE, type FlagDefinition } from './flags.ts';

/** Findings of `--lint` with `--lint-fatal`, and of `check metrics`. */
const LINT_EXIT_CODE = 3;

const LINT_FATAL: FlagDefinition = {
  name: 'lint-fatal',
  kind: 'boolean',
  fallback: 'false',
  help: 'End with 3 where a lint finds something.',
};
const IGNORE_UNKNOWN: FlagDefinition = {
  name: 'ignore-unknown-fields',
  kind: 'boolean',
  fallback: 'false',
  help: 'Pass over fields that rule files do not have.',
};
const URL_FLAG: FlagDefinition = {
  name: 'url',
  kind: 'text',
  fallback: 'http://localhost:9090',
  help: 'The address of the server.',
};

const COMMANDS: Readonly<Record<string, Command>> = {
  config: {
    usage: '[flags] FILE...',
    help: 'Checks prometheus.yml, tyto.yaml, alertmanager.yml and rule files, and what they name.',
    flags: [
      {
        name: 'syntax-only',
        kind: 'boolean',
        fallback: 'false',
        help: 'Leave the files alone that the configuration names.',
      },
      {
        name: 'lint',
        kind: 'text',
        fallback: 'duplicate-rules',
        help: `What to look for besides errors: ${CONFIG_LINTS.join(', ')}.`,
      },
      LINT_FATAL,
      IGNORE_UNKNOWN,
      ENABLE_FEATURE,
      {
        name: 'query.lookback-delta',
        kind: 'duration',
        fallback: '5m',
        help: 'What too-long-scrape-interval compares with.',
      },
    ],
    wordsMin: 1,
    wordsMax: Infinity,
    run: (call) => checkFiles(call, CONFIG_LINTS, checkConfig),
  },
  rules: {
    usage: '[flags] [FILE...]',
    help: 'Checks rule files; without one, rules from standard input.',
    flags: [
      {
        name: 'lint',
        kind: 'text',
        fallback: 'duplicate-rules',
        help: `What to look for besides errors: ${RULE_LINTS.join(', ')}.`,
      },
      LINT_FATAL,
      IGNORE_UNKNOWN,
      ENABLE_FEATURE,
    ],
    wordsMin: 0,
    wordsMax: Infinity,
    run: (call) => checkFiles(call, RULE_LINTS, checkRules),
  },
  metrics: {
    usage: '[flags] < METRICS',
    help: 'Checks metrics from standard input: names, units, types. Ends with 3 for any finding.',
    flags: [
      {
        name: 'extended',
        kind: 'boolean',
        fallback: 'false',
        help: 'Tell how many series each metric has.',
      },
      { name: 'lint', kind: 'text', fallback: 'all', help: 'all, or none for no findings.' },
    ],
    wordsMin: 0,
    wordsMax: 0,
    run: async (call) => {
      const isLinted = parseLints(call.text('lint'), ['all', 'none'])('all');
      if (!isLinted && !call.isSet('extended')) {
        throw new TytoError('bad_data', '--lint=none leaves nothing to do without --extended');
      }
      return checkMetrics(await readStandardInput(), isLinted, call.isSet('extended')) === 0
        ? 0
        : LINT_EXIT_CODE;
    },
  },
  'web-config': {
    usage: 'FILE...',
    help: "Checks web configuration files of Prometheus' servers and exporters.",
    flags: [],
    wordsMin: 1,
    wordsMax: Infinity,
    run: async ({ words }) => {
      const failures: string[] = [];
      for (const file of words) {
        const problems = await checkWebConfig(file);
        if (problems === '') print(`${file}: good`);
        else failures.push(problems);
      }
      if (failures.length > 0) throw new TytoError('bad_data', failures.join('\n'));
      return 0;
    },
  },
  healthy: {
    usage: '[--url=URL]',
    help: 'Asks whether a server is healthy.',
    flags: [URL_FLAG, HTTP_CONFIG_FLAG],
    wordsMin: 0,
    wordsMax: 0,
    run: (call) => checkServer(call.text('url'), call.text('http.config.file'), '/-/healthy'),
  },
  ready: {
    usage: '[--url=URL]',
    help: 'Asks whether a server is ready.',
    flags: [URL_FLAG, HTTP_CONFIG_FLAG],
    wordsMin: 0,
    wordsMax: 0,
    run: (call) => checkServer(call.text('url'), call.text('http.config.file'), '/-/ready'),
  },
};

/** Rejects with TytoError `bad_data` for a wrong call, and when any file has a mistake. */
export async function check(args: readonly string[]): Promise<void> {
  await runCommands('check', 'Checks without a start.', COMMANDS, args);
}

interface Findings {
  readonly warnings: readonly yaml.Problem[];
  readonly notes: readonly string[];
  readonly lints: readonly string[];
  /** What was found good. */
  readonly summary: string;
}

type CheckFile = (
  file: string,
  source: string,
  wants: (lint: string) => boolean,
  call: CommandCall,
) => Promise<Findings>;

async function checkFiles(
  call: CommandCall,
  lints: readonly string[],
  checkFile: CheckFile,
): Promise<number> {
  const wants = parseLints(call.text('lint'), lints);
  for (const { level, message } of parseFeatures(call.text(ENABLE_FEATURE.name)).notes) {
    if (level === 'warn') print(`warning: ${message}`);
  }
  const failures: string[] = [];
  let lintCount = 0;
  const files = call.words.length === 0 ? [STANDARD_INPUT] : call.words;
  for (const file of files) {
    try {
      const source =
        file === STANDARD_INPUT
          ? (await readStandardInput()).toString('utf8')
          : await readConfigFile(file);
      const found = await checkFile(file, source, wants, call);
      for (const { place, message } of found.warnings) {
        print(`${formatPlace(place)}: warning: ${message}`);
      }
      for (const note of found.notes) print(`${file}: warning: ${note}`);
      for (const lint of found.lints) complain(`${file}: lint: ${lint}`);
      lintCount += found.lints.length;
      print(`${file}: good${found.summary}`);
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      failures.push(error.message);
    }
  }
  if (failures.length > 0) throw new TytoError('bad_data', failures.join('\n'));
  return lintCount > 0 && call.isSet('lint-fatal') ? LINT_EXIT_CODE : 0;
}

const STANDARD_INPUT = 'standard input';

const checkRules: CheckFile = async (file, source, wants, call) => {
  const { groups, problems } = parseRuleFile(source, file, {
    ignoresUnknownFields: call.isSet('ignore-unknown-fields'),
    experimental: featuresOf(call).syntax,
  });
  refuseErrors(problems);
  return {
    warnings: problems,
    notes: [],
    lints: ruleLints(groups, wants),
    summary: `, ${ruleCount(groups)} rules found`,
  };
};

function alertmanagerSummary(config: AlertmanagerConfig): string {
  const counts: [number, string][] = [
    [config.receivers.length, 'receiver'],
    [config.inhibitRules.length, 'inhibit rule'],
    [config.timeIntervals.length, 'time interval'],
    [config.templates.length, 'template'],
  ];
  return counts.map(([n, what]) => `, ${n} ${what}${n === 1 ? '' : 's'}`).join('');
}

const checkConfig: CheckFile = async (file, source, wants, call) => {
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  if (keys.includes('route') || keys.includes('receivers')) {
    const { alertmanager, warnings } = await loadConfig(
      { config: '', alertmanager: file },
      systemClock,
      { onlyMain: call.isSet('syntax-only'), features: featuresOf(call) },
    );
    return { warnings, notes: [], lints: [], summary: alertmanagerSummary(alertmanager) };
  }
  if (keys.includes('groups')) return checkRules(file, source, wants, call);
  const onlyMain = call.isSet('syntax-only');
  const config = await loadConfig({ config: file, alertmanager: '' }, systemClock, {
    onlyMain,
    ignoresUnknownFields: call.isSet('ignore-unknown-fields'),
    features: featuresOf(call),
  });
  const { warnings, ruleGroups, jobs } = config;
  if (onlyMain) return { warnings, notes: [], lints: [], summary: '' };
  const files = await checkNamedFiles(config);
  if (files.errors.length > 0) {
    throw new TytoError('bad_data', files.errors.map((error) => `${file}: ${error}`).join('\n'));
  }
  const lookbackMs = must(parseDuration(call.text('query.lookback-delta')), 'a checked duration');
  const lints = wants('too-long-scrape-interval') ? lintScrapeIntervals(jobs, lookbackMs) : [];
  for (const ruleFile of new Set(ruleGroups.map((group) => group.file))) {
    const groups = ruleGroups.filter((group) => group.file === ruleFile);
    lints.push(...ruleLints(groups, wants));
  }
  const rules = ruleGroups.length === 0 ? '' : `, ${ruleCount(ruleGroups)} rules found`;
  return { warnings, notes: files.warnings, lints, summary: rules };
};

function featuresOf(call: CommandCall): Features {
  return parseFeatures(call.text(ENABLE_FEATURE.name)).features;
}

function ruleLints(groups: readonly RuleGroupConfig[], wants: (lint: string) => boolean): string[] {
  return wants('duplicate-rules') ? lintDuplicateRules(groups) : [];
}

function ruleCount(groups: readonly RuleGroupConfig[]): number {
  return groups.reduce((sum, group) => sum + group.rules.length, 0);
}

function refuseErrors(problems: readonly yaml.Problem[]): void {
  if (yaml.hasErrors(problems)) throw new TytoError('bad_data', yaml.formatProblems(problems));
}
