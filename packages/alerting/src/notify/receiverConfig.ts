/** The receivers of alertmanager.yml: all kinds, their checks, and what delivers for them. */
import { type Logger, yaml } from '@tyto/base';
import type { GlobalConfig } from './globalConfig.ts';
import { DEFAULT_HTTP } from './http/httpConfig.ts';
import { HttpSender } from './http/httpSender.ts';
import type { Environment } from './http/proxy.ts';
import type { Integration } from './notification.ts';
import type { NotifyTemplates } from './notifyTemplate.ts';
import { Message, type Notifier, type NotifierTools, type ReceiverKind } from './receiverKind.ts';
import { discord } from './receivers/discord.ts';
import { email } from './receivers/email.ts';
import { incidentio } from './receivers/incidentio.ts';
import { jira } from './receivers/jira.ts';
import { mattermost } from './receivers/mattermost.ts';
import { msteams, msteamsv2 } from './receivers/msteams.ts';
import { opsgenie } from './receivers/opsgenie.ts';
import { pagerduty } from './receivers/pagerduty.ts';
import { pushover } from './receivers/pushover.ts';
import { rocketchat } from './receivers/rocketchat.ts';
import { slack } from './receivers/slack.ts';
import { sns } from './receivers/sns.ts';
import { telegram } from './receivers/telegram.ts';
import { victorops } from './receivers/victorops.ts';
import { webex } from './receivers/webex.ts';
import { webhook } from './receivers/webhook.ts';
import { wechat } from './receivers/wechat.ts';

/** A configuration of any kind, with what is done for it. */
interface Configured {
  /** As it was read. */
  readonly config: unknown;
  readonly sendsResolved: boolean;
  lacks(global: GlobalConfig): string | undefined;
  notifier(global: GlobalConfig, tools: NotifierTools): Notifier;
}

interface Kind {
  readonly name: string;
  readonly schema: yaml.Schema<Configured>;
}

function kindOf<C extends { readonly send_resolved: boolean }>(kind: ReceiverKind<C>): Kind {
  return {
    name: kind.name,
    schema: (node, decoder) => {
      const config = kind.schema(node, decoder);
      return {
        config,
        sendsResolved: config.send_resolved,
        lacks: (global) => kind.lacks?.(config, global),
        notifier: (global, tools) => kind.notifier(config, global, tools),
      };
    },
  };
}

const KINDS: readonly Kind[] = [
  kindOf(webhook),
  kindOf(email),
  kindOf(pagerduty),
  kindOf(opsgenie),
  kindOf(wechat),
  kindOf(slack),
  kindOf(victorops),
  kindOf(pushover),
  kindOf(sns),
  kindOf(telegram),
  kindOf(discord),
  kindOf(webex),
  kindOf(msteams),
  kindOf(msteamsv2),
  kindOf(jira),
  kindOf(incidentio),
  kindOf(rocketchat),
  kindOf(mattermost),
];

const fields = yaml.object(
  {
    name: yaml.optional(yaml.string, ''),
    labels: yaml.optional(yaml.record(yaml.string)),
    ...Object.fromEntries(
      KINDS.map(({ name, schema }): [string, yaml.Field<Configured[]>] => [
        `${name}_configs`,
        yaml.optional(yaml.list(schema), () => []),
      ]),
    ),
  },
  { name: 'receiver' },
);

export interface ReceiverConfig {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** By the name of the kind. */
  readonly configs: ReadonlyMap<string, readonly Configured[]>;
}

export const receiverConfig: yaml.Schema<ReceiverConfig> = (node, decoder) => {
  const read = fields(node, decoder);
  if (read.name === '') decoder.error(node, 'missing name in receiver');
  const lists = read as unknown as Readonly<Record<string, readonly Configured[]>>;
  return {
    name: read.name,
    labels: read.labels,
    configs: new Map(KINDS.map(({ name }) => [name, lists[`${name}_configs`]])),
  };
};

/** What a receiver lacks, the section `global` has to give. */
export function checkReceiver(
  receiver: ReceiverConfig,
  global: GlobalConfig,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  for (const kind of KINDS) {
    const list = yaml.childNode(node, `${kind.name}_configs`);
    receiver.configs.get(kind.name)?.forEach((config, i) => {
      const lack = config.lacks(global);
      if (lack !== undefined) decoder.error(yaml.itemNode(list, i), lack);
    });
  }
}

/** What delivers for a receiver; the configuration has no errors. */
export function buildIntegrations(
  receiver: ReceiverConfig,
  global: GlobalConfig,
  templates: NotifyTemplates,
  logger: Logger,
  environment: Environment,
): Integration[] {
  const sender = (http = DEFAULT_HTTP) => new HttpSender(http, environment);
  const tools = { logger, environment, sender };
  return KINDS.flatMap((kind) =>
    (receiver.configs.get(kind.name) ?? []).map((one, index): Integration => {
      const deliver = one.notifier(global, tools);
      return {
        kind: kind.name,
        index,
        sendResolved: one.sendsResolved,
        notify: (notification, signal) =>
          deliver(new Message(notification, templates, logger, signal)),
      };
    }),
  );
}
