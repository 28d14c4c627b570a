/** Names in the configuration that point at something else in it. */
import { nearestName, type yaml } from '@tyto/base';

/** Complains of a name that is not among the known ones, with the nearest. */
export function checkName(
  name: string,
  known: readonly string[],
  what: string,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  if (known.includes(name)) return;
  const nearest = nearestName(name, known);
  const all = `known are ${known.join(', ') || 'none'}`;
  const hint = nearest === undefined ? all : `did you mean "${nearest}"?`;
  decoder.error(node, `there is no ${what} "${name}"; ${hint}`);
}
