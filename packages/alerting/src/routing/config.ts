/**
 * alertmanager.yml: the routing tree, receivers, inhibition, time intervals. Matchers in both of
 * Alertmanager's notations, and as the maps of old. Specification: its configuration reference.
 */
import { errorMessage, TytoError, yaml } from '@tyto/base';
import { createMatcher, isClassicLabelName, type Matcher } from '@tyto/model';
import { defaultGlobal, type GlobalConfig, globalConfig } from '../notify/globalConfig.ts';
import { receiverConfig } from '../notify/receiverConfig.ts';
import { checkWhole } from './configChecks.ts';
import { type MatcherMode, readMatchers } from './matcherText.ts';
import { namedIntervals, type TimeInterval } from './timeInterval.ts';

export interface RouteConfig {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  /** Undefined: the parent's. `...` stands for all labels. */
  readonly groupBy: readonly string[] | undefined;
  readonly groupWaitMs: number | undefined;
  readonly groupIntervalMs: number | undefined;
  readonly repeatIntervalMs: number | undefined;
  /** Names of time intervals. They hold for this route alone, not for those below it. */
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  /** Templates, by name; those of the parents are inherited. */
  readonly labels: Readonly<Record<string, string>>;
  readonly routes: readonly RouteConfig[];
}

export interface InhibitRule {
  readonly name: string;
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  readonly equal: readonly string[];
}

export interface AlertmanagerConfig {
  readonly source: string;
  readonly global: GlobalConfig;
  /** Globs of template files, relative to the configuration file. */
  readonly templates: readonly string[];
  readonly route: RouteConfig;
  readonly receivers: readonly ReturnType<typeof receiverConfig>[];
  readonly inhibitRules: readonly InhibitRule[];
  readonly timeIntervals: readonly TimeInterval[];
}

/** The sections as they stand in the file. */
export type RawConfig = ReturnType<ReturnType<typeof fileSchemaOf>>;

const noMatchers = (): Matcher[] => [];
const noTexts = (): string[] => [];
const noRecord = (): Record<string, string> => ({});

/** A list of matchers, a single one, or the braces notation. */
function matcherListOf(mode: MatcherMode): yaml.Schema<Matcher[]> {
  const item: yaml.Schema<Matcher[]> = (node, decoder) => {
    try {
      const { matchers, warning } = readMatchers(yaml.string(node, decoder), mode);
      if (warning !== undefined) decoder.warn(node, warning);
      return matchers;
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      const { cause, message } = error;
      decoder.error(node, cause === undefined ? message : `${message}: ${errorMessage(cause)}`);
      return [];
    }
  };
  return (node, decoder) => yaml.listOrOne(item)(node, decoder).flat();
}

/** The legacy maps of label to value or pattern. */
function legacyMatchers(type: '=' | '=~'): yaml.Schema<Matcher[]> {
  return (node, decoder) => {
    const values = yaml.record(yaml.string)(node, decoder);
    return Object.entries(values).flatMap(([name, value]) => {
      const place = yaml.childNode(node, name);
      if (value === '' && type === '=~') {
        decoder.error(place, `invalid regexp value for "${name}"`);
        return [];
      }
      if (!isClassicLabelName(name)) decoder.error(place, `invalid label name "${name}"`);
      try {
        // Alertmanager shows patterns of these maps anchored, in the keys of groups too.
        const shown = type === '=' ? value : `^(?:${value})$`;
        return [{ ...createMatcher(type, name, value), value: shown }];
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
        decoder.error(place, errorMessage(error));
        return [];
      }
    });
  };
}

function isLabelName(name: string, mode: MatcherMode): boolean {
  return mode === 'classic' ? isClassicLabelName(name) : name !== '' && name.isWellFormed();
}

function routeSchemaOf(mode: MatcherMode): yaml.Schema<RouteConfig> {
  const matcherList = matcherListOf(mode);
  const routeSchema: yaml.Schema<RouteConfig> = (node, decoder) => {
    const route = routeFields(node, decoder);
    checkGroupBy(route.group_by ?? [], yaml.childNode(node, 'group_by'), mode, decoder);
    for (const field of ['group_interval', 'repeat_interval'] as const) {
      if (route[field] === 0) {
        decoder.error(yaml.childNode(node, field), `${field} cannot be zero`);
      }
    }
    return {
      receiver: route.receiver,
      matchers: [...route.match, ...route.match_re, ...route.matchers],
      continue: route.continue,
      groupBy: route.group_by,
      groupWaitMs: route.group_wait,
      groupIntervalMs: route.group_interval,
      repeatIntervalMs: route.repeat_interval,
      muteTimeIntervals: route.mute_time_intervals,
      activeTimeIntervals: route.active_time_intervals,
      labels: route.labels,
      routes: route.routes,
    };
  };
  const routeFields = yaml.object(
    {
      receiver: yaml.optional(yaml.string, ''),
      matchers: yaml.optional(matcherList, noMatchers),
      match: yaml.optional(legacyMatchers('='), noMatchers),
      match_re: yaml.optional(legacyMatchers('=~'), noMatchers),
      continue: yaml.optional(yaml.boolean, false),
      group_by: yaml.optional(yaml.list(yaml.string)),
      group_wait: yaml.optional(yaml.duration),
      group_interval: yaml.optional(yaml.duration),
      repeat_interval: yaml.optional(yaml.duration),
      mute_time_intervals: yaml.optional(yaml.list(yaml.string), noTexts),
      active_time_intervals: yaml.optional(yaml.list(yaml.string), noTexts),
      labels: yaml.optional(yaml.record(yaml.string), noRecord),
      routes: yaml.optional(
        yaml.list((node, decoder) => routeSchema(node, decoder)),
        (): RouteConfig[] => [],
      ),
    },
    { name: 'route' },
  );
  return routeSchema;
}

function checkGroupBy(
  names: readonly string[],
  node: yaml.YamlNode,
  mode: MatcherMode,
  decoder: yaml.Decoder,
): void {
  const seen = new Set<string>();
  names.forEach((name, i) => {
    const place = yaml.itemNode(node, i);
    if (name !== '...' && !isLabelName(name, mode)) {
      decoder.error(place, `invalid label name "${name}" in group_by list`);
    }
    if (seen.has(name)) decoder.error(place, `duplicated label "${name}" in group_by`);
    seen.add(name);
  });
  if (seen.has('...') && seen.size > 1) {
    const message = 'cannot have wildcard group_by (`...`) and other labels at the same time';
    decoder.error(node, message);
  }
}

function inhibitRuleOf(mode: MatcherMode): yaml.Schema<InhibitRule> {
  const matcherList = matcherListOf(mode);
  const fields = yaml.object(
    {
      name: yaml.optional(yaml.string, ''),
      source_matchers: yaml.optional(matcherList, noMatchers),
      source_match: yaml.optional(legacyMatchers('='), noMatchers),
      source_match_re: yaml.optional(legacyMatchers('=~'), noMatchers),
      target_matchers: yaml.optional(matcherList, noMatchers),
      target_match: yaml.optional(legacyMatchers('='), noMatchers),
      target_match_re: yaml.optional(legacyMatchers('=~'), noMatchers),
      equal: yaml.optional(yaml.list(yaml.string), noTexts),
    },
    { name: 'inhibit rule' },
  );
  return (node, decoder) => {
    const rule = fields(node, decoder);
    const equalNode = yaml.childNode(node, 'equal');
    rule.equal.forEach((name, i) => {
      if (isLabelName(name, mode)) return;
      const place = yaml.itemNode(equalNode, i);
      decoder.error(place, `invalid label name "${name}" in equal list`);
    });
    return {
      name: rule.name,
      sourceMatchers: [...rule.source_match, ...rule.source_match_re, ...rule.source_matchers],
      targetMatchers: [...rule.target_match, ...rule.target_match_re, ...rule.target_matchers],
      equal: [...new Set(rule.equal)],
    };
  };
}

function fileSchemaOf(mode: MatcherMode) {
  return yaml.object(
    {
      global: yaml.optional(globalConfig),
      templates: yaml.optional(yaml.list(yaml.string), noTexts),
      route: yaml.optional(routeSchemaOf(mode)),
      receivers: yaml.optional(yaml.list(receiverConfig), () => []),
      inhibit_rules: yaml.optional(yaml.list(inhibitRuleOf(mode)), () => []),
      mute_time_intervals: yaml.optional(namedIntervals('mute time interval'), () => []),
      time_intervals: yaml.optional(namedIntervals('time interval'), () => []),
    },
    {
      name: 'alertmanager configuration',
      ignored: { tracing: 'Tyto does not trace itself yet' },
    },
  );
}

/** alertmanager.yml as a schema, so that tyto.yaml can hold it; for use where there is no error. */
export function alertmanagerSchema(
  mode: MatcherMode = 'fallback',
): yaml.Schema<Omit<AlertmanagerConfig, 'source'>> {
  const schema = yaml.checked(fileSchemaOf(mode), checkWhole);
  return (node, decoder) => {
    const raw = schema(node, decoder);
    return {
      global: raw.global ?? defaultGlobal(),
      templates: raw.templates,
      // Checked: without a route there is an error.
      route: raw.route as RouteConfig,
      receivers: raw.receivers,
      inhibitRules: raw.inhibit_rules,
      timeIntervals: [...raw.mute_time_intervals, ...raw.time_intervals],
    };
  };
}

/** Reads alertmanager.yml. The configuration is there only when no problem is an error. */
export function parseAlertmanagerConfig(
  source: string,
  file: string,
  mode: MatcherMode = 'fallback',
): { config: AlertmanagerConfig | undefined; problems: readonly yaml.Problem[] } {
  const { value, problems } = yaml.decodeYaml(source, file, alertmanagerSchema(mode));
  if (value === undefined || yaml.hasErrors(problems)) return { config: undefined, problems };
  return { config: { ...value, source }, problems };
}
