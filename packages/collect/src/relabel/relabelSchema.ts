/** Decodes and judges `relabel_configs`, in the spirit of Prometheus' own complaints. */
import { type AnchoredRegExp, compileAnchored, nearestName, yaml } from '@tyto/base';
import { notNull } from '../config/fields.ts';
import { RELABEL_ACTIONS, type RelabelAction, type RelabelConfig } from './relabel.ts';
import { compileTemplate, referencesGroup } from './template.ts';

const DEFAULT_REGEX = compileAnchored('(.*)');
const DEFAULT_REPLACEMENT = '$1';
const DEFAULT_SEPARATOR = ';';

const regexSchema: yaml.Schema<AnchoredRegExp> = yaml.mapped(
  yaml.string,
  compileAnchored,
  () => DEFAULT_REGEX,
);

const actionSchema: yaml.Schema<RelabelAction> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  const found = RELABEL_ACTIONS.find((action) => action === text.toLowerCase());
  if (found !== undefined) return found;
  const nearest = nearestName(text, RELABEL_ACTIONS) ?? RELABEL_ACTIONS.join(', ');
  decoder.error(node, `unknown relabel action "${text}"; did you mean ${nearest}?`);
  return 'replace';
};

const fields = {
  action: yaml.optional(actionSchema, 'replace'),
  source_labels: yaml.optional(yaml.list(yaml.string)),
  separator: yaml.optional(yaml.string, DEFAULT_SEPARATOR),
  regex: yaml.optional(regexSchema, DEFAULT_REGEX),
  modulus: yaml.optional(yaml.integer(0), 0),
  target_label: yaml.optional(yaml.string, ''),
  replacement: yaml.optional(yaml.string, DEFAULT_REPLACEMENT),
};
const rawSchema = yaml.object(fields, { name: 'relabel config' });
type Raw = yaml.ObjectOf<typeof fields>;

const NEEDS_TARGET: readonly RelabelAction[] = [
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];

const relabelConfigSchema: yaml.Schema<RelabelConfig> = (node, decoder) => {
  const raw = rawSchema(node, decoder);
  if (
    yaml.writesField(node, 'action') &&
    yaml.string(yaml.childNode(node, 'action'), decoder) === ''
  ) {
    decoder.error(node, 'relabel action cannot be empty');
  }
  const complaint = complain(raw, node);
  if (complaint !== undefined) decoder.error(complaint.at, complaint.message);
  return {
    action: raw.action,
    sourceLabels: raw.source_labels ?? [],
    separator: raw.separator,
    regex: raw.regex,
    modulus: raw.modulus,
    targetLabel: compileTemplate(raw.target_label, raw.regex),
    replacement: compileTemplate(raw.replacement, raw.regex),
  };
};

/** A list of relabelling steps; `what` names it in the complaint about an empty entry. */
export function relabelConfigsSchema(what: string): yaml.Schema<RelabelConfig[]> {
  return yaml.list(notNull(relabelConfigSchema, `empty or null ${what}`, emptyStep));
}

/** Steps for `relabel_configs`, `metric_relabel_configs` and their like. */
export const relabelConfigs = relabelConfigsSchema('relabelling rule');

function emptyStep(): RelabelConfig {
  return {
    action: 'replace',
    sourceLabels: [],
    separator: DEFAULT_SEPARATOR,
    regex: DEFAULT_REGEX,
    modulus: 0,
    targetLabel: compileTemplate('', DEFAULT_REGEX),
    replacement: compileTemplate(DEFAULT_REPLACEMENT, DEFAULT_REGEX),
  };
}

interface Complaint {
  readonly at: yaml.YamlNode;
  readonly message: string;
}

function complain(raw: Raw, node: yaml.YamlNode): Complaint | undefined {
  const { action } = raw;
  const at = (field: string, message: string) => ({ at: yaml.childNode(node, field), message });
  if (action === 'hashmod' && raw.modulus === 0) {
    return at('modulus', 'relabel configuration for hashmod requires non-zero modulus');
  }
  if (NEEDS_TARGET.includes(action)) {
    if (raw.target_label === '') {
      return at(
        'action',
        `relabel configuration for ${action} action requires 'target_label' value`,
      );
    }
    if (action !== 'replace' && referencesGroup(raw.target_label)) {
      const target = JSON.stringify(raw.target_label);
      return at('target_label', `${target} is invalid 'target_label' for ${action} action`);
    }
  }
  const written = (names: readonly string[]) =>
    names.find((name) => yaml.writesField(node, name) && !isDefault(raw, name));
  if (action === 'lowercase' || action === 'uppercase') {
    const extra = written(['replacement']);
    if (extra !== undefined) return at(extra, `'replacement' can not be set for ${action} action`);
  }
  if (action === 'labelmap' && raw.replacement === '') {
    return at('replacement', '"" is invalid \'replacement\' for labelmap action');
  }
  if (action === 'keepequal' || action === 'dropequal') {
    const extra = written(['regex', 'modulus', 'separator', 'replacement']);
    const only = "requires only 'source_labels' and 'target_label', and no other fields";
    if (extra !== undefined) return at(extra, `${action} action ${only}`);
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    const extra = written(['source_labels', 'target_label', 'modulus', 'separator', 'replacement']);
    const only = "requires only 'regex', and no other fields";
    if (extra !== undefined) return at(extra, `${action} action ${only}`);
  }
  return undefined;
}

function isDefault(raw: Raw, field: string): boolean {
  switch (field) {
    case 'regex':
      return raw.regex.source === DEFAULT_REGEX.source;
    case 'modulus':
      return raw.modulus === 0;
    case 'separator':
      return raw.separator === DEFAULT_SEPARATOR;
    case 'replacement':
      return raw.replacement === DEFAULT_REPLACEMENT;
    case 'target_label':
      return raw.target_label === '';
    default:
      return raw.source_labels === undefined;
  }
}
