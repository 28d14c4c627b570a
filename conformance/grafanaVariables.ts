/** Expressions of Grafana dashboards as Prometheus gets them: with variables replaced. */
import { readFileSync } from 'node:fs';

export interface DashboardExpression {
  readonly file: string;
  readonly expr: string;
  /** As the dashboard writes it. */
  readonly written: string;
  readonly isLoki: boolean;
}

type Json = Record<string, unknown>;

/** What Grafana's own variables are for a dashboard of six hours at 15 s. */
const BUILT_IN: Readonly<Record<string, string>> = {
  __rate_interval: '1m0s',
  __interval: '15s',
  __interval_ms: '15000',
  __range: '21600s',
  __range_s: '21600',
  __range_ms: '21600000',
  __from: '1700000000000',
  __to: '1700021600000',
  __auto: '15s',
};

/** All expressions of a dashboard's panels, and those inside of its variables' queries. */
export function dashboardExpressions(file: string): DashboardExpression[] {
  const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Json;
  const variables = variableValues(dashboard);
  const found: DashboardExpression[] = [];
  const add = (written: string, isLoki: boolean) => {
    if (written.trim() === '') return;
    found.push({ file, written, expr: substitute(written, variables), isLoki });
  };
  visit(dashboard, '', (node, datasource) => {
    if (typeof node.expr === 'string') add(node.expr, /loki/i.test(datasource));
  });
  for (const { query } of variableList(dashboard)) {
    const text = typeof query === 'string' ? query : String((query as Json | null)?.query ?? '');
    const values = /^\s*label_values\((.+),\s*\w+\s*\)\s*$/s.exec(text);
    const result = /^\s*query_result\((.+)\)\s*$/s.exec(text);
    if (values !== null) add(values[1], false);
    else if (result !== null) add(result[1], false);
  }
  return found;
}

function visit(
  node: unknown,
  datasource: string,
  see: (node: Json, datasource: string) => void,
): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, datasource, see);
  } else if (typeof node === 'object' && node !== null) {
    const own = (node as Json).datasource;
    const name = own === undefined ? datasource : JSON.stringify(own);
    see(node as Json, name);
    for (const child of Object.values(node)) visit(child, name, see);
  }
}

function variableList(dashboard: Json): Json[] {
  const { list } = (dashboard.templating ?? {}) as { list?: unknown };
  return Array.isArray(list) ? (list as Json[]) : [];
}

/** What a dashboard's variables are when it is opened, and all is chosen where that is possible. */
function variableValues(dashboard: Json): Map<string, string> {
  const values = new Map(Object.entries(BUILT_IN));
  for (const { name, type, current, query, includeAll, allValue } of variableList(dashboard)) {
    const chosen = (current as { value?: unknown } | undefined)?.value;
    const list = Array.isArray(chosen) ? chosen : [chosen];
    const [first] = list.filter((one) => typeof one === 'string' && one !== '') as string[];
    const offered = typeof query === 'string' ? query.split(',')[0].trim() : '';
    let value = first ?? '';
    if (value === '$__all' || (value === '' && includeAll === true))
      value = String(allValue || '.+');
    if (value.startsWith('$__auto')) value = '15s';
    if (value === '' && (type === 'interval' || type === 'custom')) value = offered;
    if (value === '' || value === '$__all') value = type === 'interval' ? '5m' : 'chosen';
    values.set(String(name), value);
  }
  return values;
}

/** `$name`, `${name}`, `${name:format}`, `[[name]]`; a name that nobody knows stays as it is. */
function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  let replaced = text;
  // A variable's value may hold variables.
  for (let round = 0; round < 3; round++) {
    replaced = replaced.replace(
      /\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)/g,
      (all, braced, format, bracketed, bare) => {
        const value = variables.get(braced ?? bracketed ?? bare);
        if (value === undefined) return all;
        return format === 'regex' ? value.replace(/[.*+?^${}()|[\]\\]/g, '\\\\$&') : value;
      },
    );
  }
  return replaced;
}
