import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { yaml } from '@tyto/base';
import { relabel, relabelConfigsSchema } from '@tyto/collect';
import { Labels } from '@tyto/model';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../testing.ts';

function steps(text: string) {
  const { value, problems } = yaml.decodeYaml(text, 'relabel.yml', relabelConfigsSchema);
  return { steps: value ?? [], complaint: yaml.formatProblems(problems) };
}

function run(labels: Record<string, string>, text: string): Record<string, string> | undefined {
  const decoded = steps(text);
  expect(decoded.complaint).toBe('');
  return relabel(Labels.of(labels), decoded.steps)?.toRecord();
}

describe('actions', () => {
  test('replace joins the sources and expands groups by number and name', () => {
    const labels = { a: 'foo', b: 'bar' };
    expect(
      run(
        labels,
        '[{source_labels: [a, b], regex: "f(.*);(?P<rest>.*)", target_label: d, ' +
          `replacement: "$1-\${rest}-$rest$$\${9}"}]`,
      ),
    ).toEqual({ ...labels, d: 'oo-bar-bar$' });
  });

  test('replace does nothing without a match and removes the target for an empty result', () => {
    expect(run({ a: 'x' }, '[{source_labels: [a], regex: y, target_label: a}]')).toEqual({
      a: 'x',
    });
    expect(
      run({ a: 'x' }, '[{source_labels: [a], regex: x, target_label: a, replacement: ""}]'),
    ).toEqual({});
    expect(
      run({ a: 'x' }, `[{source_labels: [a], target_label: "to_\${1}", replacement: "1"}]`),
    ).toEqual({ a: 'x', to_x: '1' });
  });

  test('a regular expression must match the whole value', () => {
    expect(run({ a: 'xyz' }, '[{source_labels: [a], regex: y, action: keep}]')).toBeUndefined();
    expect(run({ a: 'xyz' }, '[{source_labels: [a], regex: y, action: drop}]')).toEqual({
      a: 'xyz',
    });
  });

  test('keepequal and dropequal compare with a label', () => {
    const equal = { port: '80', want: '80' };
    expect(run(equal, '[{source_labels: [port], target_label: want, action: keepequal}]')).toEqual(
      equal,
    );
    expect(
      run(equal, '[{source_labels: [port], target_label: want, action: DropEqual}]'),
    ).toBeUndefined();
  });

  test('hashmod is that of Prometheus', () => {
    expect(
      run({ c: 'baz' }, '[{source_labels: [c], target_label: d, modulus: 1000, action: hashmod}]'),
    ).toEqual({ c: 'baz', d: '976' });
  });

  test('labelmap, labeldrop, labelkeep work on names', () => {
    const labels = { __meta_a: '1', __meta_b: '2', c: '3' };
    expect(run(labels, '[{action: labelmap, regex: "__meta_(.+)"}]')).toEqual({
      ...labels,
      a: '1',
      b: '2',
    });
    expect(run(labels, '[{action: labeldrop, regex: "__meta_.*"}]')).toEqual({ c: '3' });
    expect(run(labels, '[{action: labelkeep, regex: "__meta_.*"}]')).toEqual({
      __meta_a: '1',
      __meta_b: '2',
    });
  });

  test('lowercase and uppercase', () => {
    expect(
      run(
        { a: 'FooBar' },
        '[{source_labels: [a], target_label: l, action: lowercase},' +
          '{source_labels: [a], target_label: u, action: uppercase}]',
      ),
    ).toEqual({ a: 'FooBar', l: 'foobar', u: 'FOOBAR' });
  });
});

describe('complaints have a place', () => {
  test.each([
    ['- regex: abc(def', 'relabel.yml:1:10: error parsing regexp: missing closing )'],
    ['- action: hashmod\n  target_label: a', '1:3: relabel configuration for hashmod requires'],
    ['- action: replcae', 'did you mean replace?'],
    ['- action: null', 'relabel action cannot be empty'],
    ['- source_labels: [a]', "replace action requires 'target_label' value"],
    ['- {action: labeldrop, regex: a, separator: ","}', "labeldrop action requires only 'regex'"],
    ['- {action: labelkeep, source_labels: [a]}', "labelkeep action requires only 'regex'"],
    ['- {action: keepequal, source_labels: [a], target_label: b, regex: c}', 'keepequal action'],
    [
      '- {action: uppercase, source_labels: [a], target_label: b, replacement: c}',
      'can not be set',
    ],
    ['- ', 'empty or null relabelling rule'],
    ['- {regexp: a, target_label: b}', 'did you mean "regex"?'],
  ])('%j', (text, message) => {
    expect(steps(text).complaint).toContain(message);
  });
});

const extracted = sharedPath('conformance/prometheus/extracted');
test.skipIf(extracted === undefined)("the cases of Prometheus' relabel tests", () => {
  const file = readFileSync(join(extracted ?? '', 'relabel_cases.json'), 'utf8');
  for (const { input, relabel: configs, output, drop } of JSON.parse(file).cases) {
    const result = run(input, JSON.stringify(configs));
    expect(result, JSON.stringify(configs)).toEqual(drop ? undefined : output);
  }
});
