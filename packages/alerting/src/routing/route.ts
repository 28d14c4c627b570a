/** The routing tree with inherited options, and which of its routes an alert takes. */
import { type Labels, type Matcher, matchesAll } from '@tyto/model';
import type { RouteConfig } from './config.ts';
import { matcherText } from './matcherText.ts';

export interface Route {
  /** The route's place in the tree: siblings may have the same matchers. */
  readonly id: string;
  /** Names the route by its matchers from the root on, as receivers see it. */
  readonly key: string;
  readonly receiver: string;
  readonly matchers: readonly Matcher[];
  readonly continue: boolean;
  readonly groupBy: ReadonlySet<string>;
  readonly groupByAll: boolean;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Names of time intervals; a route does not inherit them. */
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  /** Templates by name, those of the parents among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
}

const DEFAULTS = {
  receiver: '',
  groupBy: new Set<string>(),
  groupByAll: false,
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3600_000,
  labels: {},
};

type Inherited = typeof DEFAULTS | Route;

/** Builds the tree; what a route does not say, its parent does. */
export function buildRoute(config: RouteConfig, parent?: Route, index = 0): Route {
  const inherited: Inherited = parent ?? DEFAULTS;
  const all = config.groupBy?.includes('...') ?? false;
  const own = `{${[...config.matchers].sort(compareMatchers).map(matcherText).join(',')}}`;
  const route: Route = {
    id: parent === undefined ? String(index) : `${parent.id}.${index}`,
    key: parent === undefined ? own : `${parent.key}/${own}`,
    receiver: config.receiver || inherited.receiver,
    matchers: config.matchers,
    continue: config.continue,
    groupBy: config.groupBy === undefined ? inherited.groupBy : new Set(config.groupBy),
    groupByAll: config.groupBy === undefined ? inherited.groupByAll : all,
    groupWaitMs: config.groupWaitMs ?? inherited.groupWaitMs,
    groupIntervalMs: config.groupIntervalMs ?? inherited.groupIntervalMs,
    repeatIntervalMs: config.repeatIntervalMs ?? inherited.repeatIntervalMs,
    muteTimeIntervals: config.muteTimeIntervals,
    activeTimeIntervals: config.activeTimeIntervals,
    labels: { ...inherited.labels, ...config.labels },
    routes: [],
  };
  return { ...route, routes: config.routes.map((child, i) => buildRoute(child, route, i)) };
}

/** The routes of an alert: the deepest that match; further siblings where one says `continue`. */
export function matchRoutes(route: Route, labels: Labels): Route[] {
  if (!matchesAll(route.matchers, labels)) return [];
  const found: Route[] = [];
  for (const child of route.routes) {
    const matched = matchRoutes(child, labels);
    found.push(...matched);
    if (matched.length > 0 && !child.continue) break;
  }
  return found.length > 0 ? found : [route];
}

/** The labels that a route groups an alert by. */
export function groupLabels(route: Route, labels: Labels): Labels {
  return route.groupByAll ? labels : labels.keep(route.groupBy);
}

const TYPES = ['=', '!=', '=~', '!~'];

/** Alertmanager's order: group keys are made of it. */
function compareMatchers(a: Matcher, b: Matcher): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return TYPES.indexOf(a.type) - TYPES.indexOf(b.type);
}
