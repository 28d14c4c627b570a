/**
 * Groups of LogQL rules that were put in by the API, by tenant and namespace. They are kept in the
 * state store as the YAML that was sent. Those of files are beside them and not changed here.
 */
import { parseRuleFile, type RuleGroupConfig, type StateStore } from '@tyto/alerting';
import { formatYaml, parseYaml, TytoError, yaml } from '@tyto/base';

const PREFIX = 'logs/rules/';
const GROUPS_MAX = 1000;
const GROUP_LENGTH_MAX = 1024 * 1024;

interface StoredGroup {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  /** The group alone, as YAML. */
  readonly text: string;
}

export class LogRules {
  readonly #state: StateStore;
  readonly #stored = new Map<string, StoredGroup>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const [key, value] of state.entries(PREFIX)) {
      this.#stored.set(key, value as StoredGroup);
    }
  }

  /** All of them, to be evaluated. */
  get groups(): RuleGroupConfig[] {
    return [...this.#stored.values()].flatMap((stored) => parse(stored).groups);
  }

  /** Names of groups and their YAML, by namespace. */
  of(tenant: string): Map<string, Map<string, unknown>> {
    const namespaces = new Map<string, Map<string, unknown>>();
    for (const stored of this.#stored.values()) {
      if (stored.tenant !== tenant) continue;
      const groups = namespaces.get(stored.namespace) ?? new Map<string, unknown>();
      namespaces.set(stored.namespace, groups.set(stored.name, parseYaml(stored.text)));
    }
    return namespaces;
  }

  /** Rejects with TytoError `bad_data` for what is no group. */
  async put(tenant: string, namespace: string, text: string): Promise<void> {
    if (text.length > GROUP_LENGTH_MAX) throw new TytoError('too_large', 'the group is too large');
    const group = parseYaml(text) as { name?: unknown } | null;
    const name = typeof group?.name === 'string' ? group.name : '';
    if (name === '')
      throw new TytoError('bad_data', 'invalid rules config: rule group name must not be empty');
    const stored = { tenant, namespace, name, text: formatYaml(group) };
    const { groups, problems } = parse(stored);
    if (groups.length === 0) throw new TytoError('bad_data', yaml.formatProblems(problems));
    const key = keyOf(tenant, namespace, name);
    if (!this.#stored.has(key) && this.#stored.size >= GROUPS_MAX) {
      throw new TytoError('unavailable', `at most ${GROUPS_MAX} groups of rules are kept`);
    }
    this.#stored.set(key, stored);
    await this.#state.put(key, stored);
  }

  /** Removes a group, or all of a namespace. Rejects with TytoError `not_found`. */
  async remove(tenant: string, namespace: string, name: string | undefined): Promise<void> {
    const found = [...this.#stored].filter(
      ([, stored]) =>
        stored.tenant === tenant &&
        stored.namespace === namespace &&
        (name === undefined || stored.name === name),
    );
    if (found.length === 0) throw new TytoError('not_found', 'group does not exist');
    for (const [key] of found) {
      this.#stored.delete(key);
      await this.#state.remove(key);
    }
  }
}

function keyOf(tenant: string, namespace: string, name: string): string {
  return PREFIX + [tenant, namespace, name].map(encodeURIComponent).join('/');
}

function parse({ tenant, namespace, text }: StoredGroup) {
  const source = `groups:\n${text
    .trimEnd()
    .split('\n')
    .map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`))
    .join('\n')}\n`;
  return parseRuleFile(source, `${tenant}/${namespace}`, { logs: { tenant } });
}
