/** Checks of receivers beyond their own fields. */
import { yaml } from '@tyto/base';
import type { GlobalConfig } from './globalConfig.ts';
import { checkUrl, type receiverConfig } from './receiverConfig.ts';

/** What an integration lacks, the global section has to give. */
export function checkReceiver(
  receiver: ReturnType<typeof receiverConfig>,
  global: GlobalConfig | undefined,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const slackNodes = yaml.childNode(node, 'slack_configs');
  receiver.slack_configs.forEach((slack, i) => {
    const place = yaml.itemNode(slackNodes, i);
    const url = slack.api_url || global?.slack_api_url;
    if (!url && slack.api_url_file === '' && !global?.slack_api_url_file) {
      decoder.error(place, 'no Slack API URL set: api_url here or slack_api_url under global');
    }
    if (slack.api_url === 'YOUR_SLACK_WEBHOOK') {
      decoder.warn(
        place,
        'api_url is a placeholder: nothing is delivered until it is a Slack webhook',
      );
    } else if (slack.api_url !== '')
      checkUrl(slack.api_url, yaml.childNode(place, 'api_url'), decoder);
  });
  const emailNodes = yaml.childNode(node, 'email_configs');
  receiver.email_configs.forEach((email, i) => {
    const place = yaml.itemNode(emailNodes, i);
    if (!email.smarthost && !global?.smtp_smarthost) {
      decoder.error(place, 'no SMTP smarthost set: smarthost here or smtp_smarthost under global');
    }
    if (!email.from && !global?.smtp_from) {
      decoder.error(place, 'no SMTP from address set: from here or smtp_from under global');
    }
  });
}
