/**
 * Templates in nested values. A text that expands to JSON of another kind becomes that value, so
 * that `{{ .Alerts | toJson }}` gives a list. What came out of a template is never expanded again:
 * labels come from outside.
 */
import { parseYaml } from '@tyto/base';

/** Levels of nesting; more is no configuration. */
const DEPTH_MAX = 50;

export function expandDeep(
  value: unknown,
  expand: (template: string) => string,
  depth = 0,
): unknown {
  if (depth > DEPTH_MAX) return null;
  if (typeof value === 'string') return inlined(expand(value));
  if (Array.isArray(value)) return value.map((item) => expandDeep(item, expand, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      expand(name),
      expandDeep(item, expand, depth + 1),
    ]),
  );
}

/** Text that is a list or an object in JSON or flow YAML, a number or a word of JSON. */
function inlined(text: string): unknown {
  if (/^\s*[[{]/.test(text)) {
    const value = parseYaml(text);
    return typeof value === 'object' && value !== null ? value : text;
  }
  try {
    const value: unknown = JSON.parse(text);
    // Digits that a number cannot hold stay as they are.
    return typeof value === 'string' || String(value) !== text.trim() ? text : value;
  } catch {
    return text;
  }
}
