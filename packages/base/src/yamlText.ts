/** YAML as plain values: to be read without a schema, and to be written. */
import { parse, stringify } from 'yaml';

/** The value of a YAML text; undefined for a text that is none. */
export function parseYaml(text: string): unknown {
  try {
    return parse(text, { prettyErrors: false, merge: true });
  } catch {
    return undefined;
  }
}

/** A value as YAML, in the order of its fields; fields that are undefined are left out. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
