/**
 * alertmanager.yml: the routing tree, receivers, inhibition. Matchers in the current and in the
 * legacy notation. Specification: Alertmanager's configuration reference.
 */
import { errorMessage, TytoError, yaml } from '@tyto/base';
import { createMatcher, type Matcher } from '@tyto/model';
import { parseMatchers } from './matcherText.ts';
import { type GlobalConfig, globalConfig } from '../notify/globalConfig.ts';
import { checkReceiver, receiverConfig } from '../notify/receiverConfig.ts';

export interface RouteConfig {
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  /** Undefined: the parent's. `...` stands for all labels. */
  readonly groupBy: readonly string[] | undefined;
  readonly groupWaitMs: number | undefined;
  readonly groupIntervalMs: number | undefined;
  readonly repeatIntervalMs: number | undefined;
  readonly routes: readonly RouteConfig[];
}

export interface InhibitRule {
  readonly sourceMatchers: readonly Matcher[];
  readonly targetMatchers: readonly Matcher[];
  readonly equal: readonly string[];
}

const matcherItem = yaml.mapped(yaml.string, parseMatchers, () => []);

/** A list of matchers, a single one, or the braces notation. */
const matcherList: yaml.Schema<Matcher[]> = (node, decoder) =>
  yaml.listOrOne(matcherItem)(node, decoder).flat();

/** The legacy maps of label to value or pattern. */
function legacyMatchers(type: '=' | '=~'): yaml.Schema<Matcher[]> {
  return (node, decoder) => {
    const values = yaml.record(yaml.string)(node, decoder);
    return Object.entries(values).flatMap(([name, value]) => {
      try {
        return [createMatcher(type, name, value)];
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
        decoder.error(yaml.childNode(node, name), errorMessage(error));
        return [];
      }
    });
  };
}

const noMatchers = (): Matcher[] => [];

const routeSchema: yaml.Schema<RouteConfig> = (node, decoder) => {
  const route = routeFields(node, decoder);
  if (new Set(route.group_by).size < (route.group_by?.length ?? 0)) {
    decoder.error(yaml.childNode(node, 'group_by'), 'duplicated label in group_by');
  }
  for (const field of ['group_interval', 'repeat_interval'] as const) {
    if (route[field] === 0) decoder.error(yaml.childNode(node, field), `${field} cannot be zero`);
  }
  return {
    receiver: route.receiver,
    matchers: [...route.match, ...route.match_re, ...route.matchers],
    continue: route.continue,
    groupBy: route.group_by,
    groupWaitMs: route.group_wait,
    groupIntervalMs: route.group_interval,
    repeatIntervalMs: route.repeat_interval,
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
    routes: yaml.optional(
      yaml.list((node, decoder) => routeSchema(node, decoder)),
      (): RouteConfig[] => [],
    ),
  },
  {
    name: 'route',
    ignored: {
      mute_time_intervals: 'time intervals are not applied yet: the route notifies at all times',
      active_time_intervals: 'time intervals are not applied yet: the route notifies at all times',
      labels: 'route labels are not applied yet',
    },
  },
);

const inhibitRule = yaml.object(
  {
    source_matchers: yaml.optional(matcherList, noMatchers),
    source_match: yaml.optional(legacyMatchers('='), noMatchers),
    source_match_re: yaml.optional(legacyMatchers('=~'), noMatchers),
    target_matchers: yaml.optional(matcherList, noMatchers),
    target_match: yaml.optional(legacyMatchers('='), noMatchers),
    target_match_re: yaml.optional(legacyMatchers('=~'), noMatchers),
    equal: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    name: yaml.optional(yaml.string, ''),
  },
  { name: 'inhibit rule' },
);

const fileSchema = yaml.object(
  {
    global: yaml.optional(globalConfig),
    templates: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    route: yaml.optional(routeSchema),
    receivers: yaml.optional(yaml.list(receiverConfig), () => []),
    inhibit_rules: yaml.optional(yaml.list(inhibitRule), () => []),
  },
  {
    name: 'alertmanager configuration',
    ignored: {
      time_intervals: 'time intervals are not applied yet',
      mute_time_intervals: 'time intervals are not applied yet',
      tracing: 'Tyto does not trace itself yet',
    },
  },
);

type RawConfig = ReturnType<typeof fileSchema>;

export interface AlertmanagerConfig {
  readonly source: string;
  readonly global: GlobalConfig;
  /** Globs of template files, relative to the configuration file. */
  readonly templates: readonly string[];
  readonly route: RouteConfig;
  readonly receivers: RawConfig['receivers'];
  readonly inhibitRules: readonly InhibitRule[];
}

/** alertmanager.yml as a schema, so that tyto.yaml can hold it; for use where there is no error. */
export const alertmanagerSchema: yaml.Schema<Omit<AlertmanagerConfig, 'source'>> = (
  node,
  decoder,
) => {
  const raw = yaml.checked(fileSchema, checkWhole)(node, decoder);
  return {
    global: raw.global ?? defaultGlobal(),
    templates: raw.templates,
    // Checked: without a route there is an error.
    route: raw.route as RouteConfig,
    receivers: raw.receivers,
    inhibitRules: raw.inhibit_rules.map((rule) => ({
      sourceMatchers: [...rule.source_matchers, ...rule.source_match, ...rule.source_match_re],
      targetMatchers: [...rule.target_matchers, ...rule.target_match, ...rule.target_match_re],
      equal: rule.equal,
    })),
  };
};

/** Reads alertmanager.yml. The configuration is there only when no problem is an error. */
export function parseAlertmanagerConfig(
  source: string,
  file: string,
): { config: AlertmanagerConfig | undefined; problems: readonly yaml.Problem[] } {
  const { value, problems } = yaml.decodeYaml(source, file, alertmanagerSchema);
  if (value === undefined || yaml.hasErrors(problems)) return { config: undefined, problems };
  return { config: { ...value, source }, problems };
}

function defaultGlobal(): GlobalConfig {
  return globalConfig(null, { place: nowhere, error() {}, warn() {} });
}

function nowhere(): { line: number; column: number } {
  return { line: 1, column: 1 };
}

function checkWhole(config: RawConfig, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const routeNode = yaml.childNode(node, 'route');
  if (config.route === undefined) {
    decoder.error(node, 'no route provided: "route" with a "receiver" says who gets the alerts');
    return;
  }
  if (config.route.receiver === '')
    decoder.error(routeNode, 'root route must specify a default receiver');
  if (config.route.matchers.length > 0)
    decoder.error(routeNode, 'root route must not have any matchers');
  if (config.route.continue) decoder.error(routeNode, 'cannot have continue in root route');
  for (const field of ['mute_time_intervals', 'active_time_intervals']) {
    if (!yaml.writesField(routeNode, field)) continue;
    decoder.error(yaml.childNode(routeNode, field), `root route must not have ${field}`);
  }
  const receiversNode = yaml.childNode(node, 'receivers');
  const names = new Set<string>();
  config.receivers.forEach((receiver, i) => {
    const place = yaml.itemNode(receiversNode, i);
    if (names.has(receiver.name)) {
      decoder.error(place, `notification config name "${receiver.name}" is not unique`);
    }
    names.add(receiver.name);
    checkReceiver(receiver, config.global ?? defaultGlobal(), place, decoder);
  });
  checkReceiverNames(config.route, routeNode, names, decoder);
}

function checkReceiverNames(
  route: RouteConfig,
  node: yaml.YamlNode,
  names: ReadonlySet<string>,
  decoder: yaml.Decoder,
): void {
  if (route.receiver !== '' && !names.has(route.receiver)) {
    const place = yaml.childNode(node, 'receiver');
    decoder.error(place, `undefined receiver "${route.receiver}" used in route`);
  }
  const children = yaml.childNode(node, 'routes');
  route.routes.forEach((child, i) => {
    checkReceiverNames(child, yaml.itemNode(children, i), names, decoder);
  });
}
