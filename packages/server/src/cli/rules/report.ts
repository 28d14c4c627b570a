/** What tests of rules print: failures as text or as a difference, results as JUnit's XML. */
import type { Failure } from './ruleTest.ts';

/** A failure, indented, with what was expected and what was found. */
export function failureText({ head, expected, found }: Failure): string {
  const lines = head.split('\n').map((line) => `    ${line}`);
  if (expected.length === 0 && found.length === 0) return lines.join('\n');
  return [...lines, ...block('exp', expected), ...block('got', found)].join('\n');
}

function block(name: string, items: readonly string[]): string[] {
  if (items.length === 0) return [`        ${name}: []`];
  return [
    `        ${name}: [`,
    ...items.flatMap((item, i) => {
      const [first, ...rest] = item.split('\n');
      return [`            ${i}: ${first}`, ...rest.map((line) => `               ${line}`)];
    }),
    '        ]',
  ];
}

const RED = '\u001b[31m';
const GREEN = '\u001b[32m';
const PLAIN = '\u001b[0m';

/** A failure as the lines that are missing (-), that are too many (+), and that are as expected. */
export function failureDiff(failure: Failure, isColored: boolean): string {
  const { head, expected, found } = failure;
  if (expected.length === 0 && found.length === 0) return failureText(failure);
  const paint = (color: string, line: string) => (isColored ? `${color}${line}${PLAIN}` : line);
  const lines = head.split('\n').map((line) => `    ${line}`);
  const split = (items: readonly string[]) => items.flatMap((item) => item.split('\n'));
  for (const { sign, line } of difference(split(expected), split(found))) {
    const text = `        ${sign} ${line}`;
    lines.push(sign === '-' ? paint(RED, text) : sign === '+' ? paint(GREEN, text) : text);
  }
  return lines.join('\n');
}

interface DifferenceLine {
  readonly sign: '-' | '+' | ' ';
  readonly line: string;
}

/** Longer lists are shown one after the other: their longest common part is dear to find. */
const DIFFERENCE_LINES_MAX = 2000;

/** The longest common lines stay, in order. */
function difference(expected: readonly string[], found: readonly string[]): DifferenceLine[] {
  const all: DifferenceLine[] = [];
  const [rows, columns] = [expected.length, found.length];
  if (rows > DIFFERENCE_LINES_MAX || columns > DIFFERENCE_LINES_MAX) {
    for (const line of expected) all.push({ sign: '-', line });
    for (const line of found) all.push({ sign: '+', line });
    return all;
  }
  const width = columns + 1;
  const common = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      common[i * width + j] =
        expected[i] === found[j]
          ? common[(i + 1) * width + j + 1] + 1
          : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  let [i, j] = [0, 0];
  while (i < rows || j < columns) {
    if (i < rows && j < columns && expected[i] === found[j]) {
      all.push({ sign: ' ', line: expected[i++] });
      j++;
    } else if (
      j >= columns ||
      (i < rows && common[(i + 1) * width + j] >= common[i * width + j + 1])
    ) {
      all.push({ sign: '-', line: expected[i++] });
    } else {
      all.push({ sign: '+', line: found[j++] });
    }
  }
  return all;
}

export interface SuiteResult {
  readonly file: string;
  readonly startedMs: number;
  /** What kept the tests of the file from running; '' where nothing did. */
  error: string;
  readonly cases: { readonly name: string; readonly failures: readonly string[] }[];
}

/** Results in the format of JUnit, as promtool writes them. */
export function junitXml(suites: readonly SuiteResult[]): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>'];
  for (const { file, startedMs, error, cases } of suites) {
    const failed = cases.filter(({ failures }) => failures.length > 0).length;
    const time = new Date(startedMs).toISOString().slice(0, 19);
    const count = error === '' ? cases.length : 1;
    lines.push(
      `  <testsuite name="${xml(file)}" tests="${count}" failures="${failed}" ` +
        `errors="${error === '' ? 0 : 1}" timestamp="${time}">`,
    );
    if (error !== '') {
      lines.push('    <testcase name="aborted">', `      <error>${xml(error)}</error>`);
      lines.push('    </testcase>');
    }
    for (const { name, failures } of cases) {
      lines.push(`    <testcase name="${xml(name)}">`);
      for (const failure of failures) lines.push(`      <failure>${xml(failure)}</failure>`);
      lines.push('    </testcase>');
    }
    lines.push('  </testsuite>');
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

function xml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  // XML has no place for other control characters, not even escaped.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  return clean.replace(/[&<>"']/g, (character) => entities[character]);
}
