/**
 * Jira: an issue for a group, found again by a label that holds the group's key. It is created,
 * brought up to date, resolved with the group and reopened where it fires again.
 */
import { yaml } from '@tyto/base';
import { expandDeep } from '../deepTemplate.ts';
import type { Outgoing } from '../http/httpSender.ts';
import { NotifyError } from '../notification.ts';
import {
  below,
  httpFields,
  type Message,
  plainValue,
  type ReceiverKind,
  template,
  text,
  webUrl,
} from '../receiverKind.ts';

const SUMMARY_RUNES_MAX = 255;
const DESCRIPTION_RUNES_MAX = 32_767;

/** A template, or with it whether an issue that exists is given a new value. */
function updatable(name: string): yaml.Schema<{ template: string; enable_update: boolean }> {
  const whole = yaml.object(
    { template: template(name), enable_update: yaml.optional(yaml.boolean, true) },
    { name: 'jira field' },
  );
  return (node, decoder) => {
    if (yaml.keysOf(node) !== undefined) return whole(node, decoder);
    return { template: yaml.string(node, decoder), enable_update: true };
  };
}

const labelsObject = yaml.object(
  {
    values: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    enable_update: yaml.optional(yaml.boolean, true),
  },
  { name: 'jira labels' },
);
const labels: yaml.Schema<ReturnType<typeof labelsObject>> = (node, decoder) => {
  if (yaml.keysOf(node) !== undefined) return labelsObject(node, decoder);
  return { values: yaml.list(yaml.string)(node, decoder), enable_update: true };
};

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_url: yaml.optional(webUrl, ''),
      api_type: yaml.optional(yaml.string, 'auto'),
      project: text,
      issue_type: text,
      summary: yaml.optional(updatable('jira.default.summary'), {
        template: '{{ template "jira.default.summary" . }}',
        enable_update: true,
      }),
      description: yaml.optional(updatable('jira.default.description'), {
        template: '{{ template "jira.default.description" . }}',
        enable_update: true,
      }),
      labels: yaml.optional(labels, () => ({ values: [] as string[], enable_update: true })),
      priority: template('jira.default.priority'),
      reopen_transition: text,
      resolve_transition: text,
      wont_fix_resolution: text,
      reopen_duration: yaml.optional(yaml.duration, 0),
      fields: yaml.optional(yaml.record(plainValue), (): Record<string, unknown> => ({})),
    },
    { name: 'jira_config' },
  ),
  (config, node, decoder) => {
    if (config.project === '') decoder.error(node, 'missing project in jira_config');
    if (config.issue_type === '') decoder.error(node, 'missing issue_type in jira_config');
    if (!['auto', 'cloud', 'datacenter'].includes(config.api_type)) {
      const message = 'unknown api_type on jira_config, must be auto, cloud or datacenter';
      decoder.error(yaml.childNode(node, 'api_type'), message);
    }
  },
);

type Config = ReturnType<typeof schema>;

interface Issue {
  readonly key: string;
  readonly isDone: boolean | undefined;
}

/** Asks the API below `api_url`, or at a whole address; resolves with the JSON of the answer. */
type Ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<unknown>;

export const jira: ReceiverKind<Config> = {
  name: 'jira',
  schema,
  lacks(config, global) {
    return config.api_url || global.jira_api_url ? undefined : 'no global Jira Cloud URL set';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const base = config.api_url || global.jira_api_url;
    return async (message) => {
      const ask: Ask = async (method, path, body) => {
        const request: Outgoing = {
          ...message.call(),
          method,
          url: path.startsWith('http') ? path : below(base, path),
          headers: { 'content-type': 'application/json', 'accept-language': 'en' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        };
        return jsonOf((await sender.send(request, { retryCodes: [429] })).text);
      };
      const issue = await findIssue(config, base, message, ask);
      const firing = message.status === 'firing';
      if (issue === undefined && !firing) return undefined;
      const fields = fieldsOf(config, base, message, issue !== undefined);
      if (issue === undefined) await ask('POST', 'issue', { fields });
      else {
        await ask('PUT', `issue/${issue.key}`, { fields });
        await moveOn(config, issue, firing, ask);
      }
      return undefined;
    };
  },
};

function labelOf(message: Message): string {
  return `ALERT{${message.keyHash}}`;
}

async function findIssue(
  config: Config,
  base: string,
  message: Message,
  ask: Ask,
): Promise<Issue | undefined> {
  const reopenMinutes = Math.floor(config.reopen_duration / 60_000);
  const mayReopen =
    message.status === 'firing' && config.reopen_transition !== '' && reopenMinutes > 0;
  const conditions = [
    config.wont_fix_resolution === '' ? '' : `resolution != ${quoted(config.wont_fix_resolution)}`,
    mayReopen
      ? `(resolutiondate is EMPTY OR resolutiondate >= -${reopenMinutes}m)`
      : 'statusCategory != Done',
    `project=${quoted(message.text(config.project))}`,
    `labels=${quoted(labelOf(message))}`,
  ];
  const wanted = conditions.filter((condition) => condition !== '').join(' and ');
  const jql = `${wanted} order by status ASC,resolutiondate DESC`;
  const body = { jql, maxResults: 2, fields: ['status'] };
  const answer = (await ask('POST', searchUrl(config, base), body)) as Partial<
    Record<'issues', unknown>
  > | null;
  const issues = Array.isArray(answer?.issues) ? (answer.issues as unknown[]) : [];
  if (issues.length > 1) message.logger.warn('more than one issue matched: the first is taken');
  return issueOf(issues[0]);
}

/** The cloud has moved its search; data centres have not. */
function searchUrl(config: Config, base: string): string {
  const isCloud =
    config.api_type === 'cloud' ||
    (config.api_type === 'auto' && new URL(base).host.endsWith('atlassian.net'));
  if (!isCloud) return below(base, 'search');
  return below(base, 'search/jql').replace('/rest/api/2/', '/rest/api/3/');
}

function issueOf(value: unknown): Issue | undefined {
  const issue = value as {
    key?: unknown;
    fields?: { status?: { statusCategory?: { key?: unknown } } };
  } | null;
  const { key, fields } = issue ?? {};
  // A key is a part of an address.
  if (typeof key !== 'string' || !/^[\w-]+$/.test(key)) return undefined;
  const category = fields?.status?.statusCategory?.key;
  return { key, isDone: category === undefined ? undefined : category === 'done' };
}

function fieldsOf(
  config: Config,
  base: string,
  message: Message,
  exists: boolean,
): Record<string, unknown> {
  const { summary, description, labels: given } = config;
  const own = expandDeep(config.fields, (one) => message.text(one)) as Record<string, unknown>;
  const priority = message.text(config.priority);
  const writes = (field: { readonly enable_update: boolean }) => !exists || field.enable_update;
  const named = given.values.map((one) => message.text(one));
  return {
    ...own,
    project: { key: message.text(config.project) },
    issuetype: { name: message.text(config.issue_type) },
    ...(writes(summary)
      ? { summary: message.cut(summary.template, SUMMARY_RUNES_MAX, 'summary') }
      : {}),
    ...(writes(description) ? descriptionOf(description.template, base, message) : {}),
    ...(writes(given) ? { labels: [...named, labelOf(message)].sort() } : {}),
    ...(priority === '' ? {} : { priority: { name: priority } }),
  };
}

/** Text for version 2 of the API, a document in JSON for version 3. */
function descriptionOf(template: string, base: string, message: Message): Record<string, unknown> {
  const written = message.cut(template, DESCRIPTION_RUNES_MAX, 'description');
  if (!/\/3\/?$/.test(new URL(base).pathname)) {
    return written === '' ? {} : { description: written };
  }
  if (written.trim() === '') return {};
  try {
    return { description: JSON.parse(written) as unknown };
  } catch (error) {
    const reason = 'description template: invalid JSON for API v3';
    throw new NotifyError(reason, false, error);
  }
}

/** Resolves or reopens. */
async function moveOn(config: Config, issue: Issue, firing: boolean, ask: Ask): Promise<void> {
  if (issue.isDone === undefined || issue.isDone !== firing) return;
  const name = firing ? config.reopen_transition : config.resolve_transition;
  const path = `issue/${issue.key}/transitions`;
  const answer = (await ask('GET', path)) as { transitions?: unknown } | null;
  const list = Array.isArray(answer?.transitions) ? (answer.transitions as unknown[]) : [];
  const found = list.find((one) => (one as { name?: unknown } | null)?.name === name);
  if (found === undefined) {
    throw new NotifyError(`can't find transition ${name} for issue ${issue.key}`, false);
  }
  await ask('POST', path, { transition: { id: String((found as { id?: unknown }).id) } });
}

function quoted(value: string): string {
  return JSON.stringify(value);
}

function jsonOf(body: string): unknown {
  if (body.trim() === '') return null;
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw new NotifyError('jira: the answer is no JSON', true, error);
  }
}
