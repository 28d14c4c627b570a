/** Small schemas that several sections of the configuration share. */
import { dirname, isAbsolute, join } from 'node:path';
import { yaml } from '@tyto/base';
import { METRIC_NAME } from '@tyto/model';

/** An item that must say something: `- ` alone is refused with `message`. */
export function notNull<T>(
  schema: yaml.Schema<T>,
  message: string,
  fallback: () => T,
): yaml.Schema<T> {
  return (node, decoder) => {
    if (!isNull(node)) return schema(node, decoder);
    decoder.error(node, message);
    return fallback();
  };
}

/** Whether a node is missing or `null`. */
export function isNull(node: yaml.YamlNode): boolean {
  return node === null || ('value' in node && node.value === null);
}

/** Anything at all, not looked at. */
export const anything: yaml.Schema<unknown> = () => undefined;

/** A path; a relative one starts at the directory of the configuration file. */
export const filePath: yaml.Schema<string> = (node, decoder) => {
  const path = yaml.string(node, decoder);
  const { file } = decoder.place(node);
  return path === '' || isAbsolute(path) || file === undefined ? path : join(dirname(file), path);
};

/** A label name: any UTF-8 text that is not empty. */
export const labelName: yaml.Schema<string> = (node, decoder) => {
  const name = yaml.string(node, decoder);
  if (name === '') decoder.error(node, '"" is not a valid label name');
  return name;
};

/** Labels that a user attaches to targets. */
export const labelSet: yaml.Schema<Record<string, string>> = yaml.checked(
  yaml.record(yaml.string, labelName),
  (labels, node, decoder) => {
    if (METRIC_NAME in labels)
      decoder.error(node, 'the label "__name__" cannot be set on a target');
  },
);

/** A size with its unit, as Prometheus demands it; `0` means no limit. */
export const sizeLimit: yaml.Schema<number> = yaml.checked(
  yaml.byteSize,
  (bytes, node, decoder) => {
    if (bytes !== 0 && /^[\d.]+$/.test(yaml.string(node, decoder).trim())) {
      decoder.error(node, `the size ${bytes} needs a unit; write for example ${bytes}B or 10MB`);
    }
  },
);

/** An absolute http or https URL. */
export const httpUrl: yaml.Schema<string> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    decoder.error(node, `not a valid URL: "${text}"; write for example http://host:8080/path`);
  }
  return text;
};
