/**
 * Amazon SNS: Publish of its query API, signed. Keys come from the configuration, the environment
 * or the files of the AWS command line; a role is assumed with them.
 */
import { yaml } from '@tyto/base';
import { type AwsAccess, awsAccess } from '../http/awsAccess.ts';
import { signed } from '../http/awsSignature.ts';
import { NotifyError } from '../notification.ts';
import {
  below,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
} from '../receiverKind.ts';

const MESSAGE_BYTES_MAX = 256 * 1024;
const SMS_BYTES_MAX = 1600;

const sigv4 = yaml.checked(
  yaml.object(
    {
      region: text,
      access_key: text,
      secret_key: text,
      profile: text,
      role_arn: text,
      external_id: text,
      use_fips_sts_endpoint: yaml.optional(yaml.boolean, false),
    },
    { name: 'sigv4' },
  ),
  (config, node, decoder) => {
    if ((config.access_key === '') !== (config.secret_key === '')) {
      const message =
        'must provide a AWS SigV4 Access key and Secret Key ' +
        'if credentials are specified in the SigV4 config';
      decoder.error(node, message);
    }
  },
);

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_url: text,
      sigv4: yaml.optional(sigv4),
      topic_arn: text,
      phone_number: text,
      target_arn: text,
      subject: template('sns.default.subject'),
      message: template('sns.default.message'),
      attributes: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
    },
    {
      name: 'sns_config',
      ignored: { use_aws_http_client: 'tls_config and proxies of http_config are used' },
    },
  ),
  ({ topic_arn, phone_number, target_arn }, node, decoder) => {
    const given = [topic_arn, phone_number, target_arn].filter((one) => one !== '');
    if (given.length !== 1) {
      const message = 'must provide either a Target ARN, Topic ARN, or Phone Number for SNS config';
      decoder.error(node, message);
    }
  },
);

type Config = ReturnType<typeof schema>;

export const sns: ReceiverKind<Config> = {
  name: 'sns',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    let access: AwsAccess | undefined;
    return async (message) => {
      const call = message.call();
      const known = access !== undefined && call.nowMs < access.expiresAtMs;
      if (!known) access = await awsAccess(config.sigv4 ?? {}, sender, call, tools.environment);
      const { region } = access as AwsAccess;
      const given = message.text(config.api_url);
      const url = given === '' ? `https://sns.${region}.amazonaws.com/` : below(given, '');
      if (!URL.canParse(url)) {
        throw new NotifyError('sns: api_url is not a web address', false);
      }
      const body = parametersOf(config, message).toString();
      const headers = signed(new URL(url), body, access as AwsAccess, 'sns', call.nowMs);
      await sender.send(
        { ...call, url, headers, body },
        { details: ({ text: xml }) => saidIn(xml) },
      );
      return undefined;
    };
  },
};

function parametersOf(config: Config, message: Message): URLSearchParams {
  const parameters = new URLSearchParams({ Action: 'Publish', Version: '2010-03-31' });
  if (config.topic_arn !== '') {
    const topic = message.text(config.topic_arn);
    parameters.set('TopicArn', topic);
    if (topic.endsWith('.fifo')) {
      parameters.set('MessageDeduplicationId', message.keyHash);
      parameters.set('MessageGroupId', message.keyHash);
    }
  }
  if (config.phone_number !== '') parameters.set('PhoneNumber', message.text(config.phone_number));
  if (config.target_arn !== '') parameters.set('TargetArn', message.text(config.target_arn));
  const whole = message.text(config.message);
  const bytesMax = config.phone_number === '' ? MESSAGE_BYTES_MAX : SMS_BYTES_MAX;
  const shown = cutBytes(whole, bytesMax);
  parameters.set('Message', shown);
  const subject = message.text(config.subject);
  if (subject !== '') parameters.set('Subject', subject);
  const attributes = Object.entries(config.attributes).map(([name, value]) => [
    message.text(name),
    message.text(value),
  ]);
  if (shown !== whole) attributes.push(['truncated', 'true']);
  attributes.forEach(([name, value], i) => {
    const prefix = `MessageAttributes.entry.${i + 1}`;
    parameters.set(`${prefix}.Name`, name);
    parameters.set(`${prefix}.Value.DataType`, 'String');
    parameters.set(`${prefix}.Value.StringValue`, value);
  });
  return parameters;
}

/** The first bytes, of which no character is half. */
function cutBytes(whole: string, bytesMax: number): string {
  const bytes = Buffer.from(whole);
  if (bytes.length <= bytesMax) return whole;
  let end = bytesMax;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8');
}

/** Code and message of an error's XML. */
function saidIn(xml: string): string {
  const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(xml) ?? [];
  const [, what = ''] = /<Message>([^<]*)<\/Message>/.exec(xml) ?? [];
  return code === '' && what === '' ? xml : `${code}: ${what}`;
}
