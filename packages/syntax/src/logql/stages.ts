/** Selectors, and the stages of a pipeline behind them. */
import { compileSearch, errorMessage } from '@tyto/base';
import { isClassicLabelName, type Matcher, type MatchType } from '@tyto/model';
import type {
  LabelChoice,
  LabelExtraction,
  LabelFormat,
  LineAlternative,
  LineFilter,
  LineFilterOperator,
  LogqlStage,
} from './ast.ts';
import type { LogqlCursor } from './cursor.ts';
import { parseJsonPath } from './jsonPaths.ts';
import { parseLabelFilter, parseMatcherValue } from './labelFilters.ts';
import { parseLinePattern, parsePattern } from './patterns.ts';

const LINE_OPERATORS: ReadonlySet<string> = new Set(['|=', '!=', '|~', '!~', '|>', '!>']);
const MATCH_TYPES: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~']);
/** Matchers of one selector, stages of one pipeline: each goes over all there is. */
const MATCHER_COUNT_MAX = 1000;
const STAGE_COUNT_MAX = 500;
/** Of all regular expressions of a query together: a second or so to compile them. */
const PATTERN_LENGTH_MAX = 128 * 1024;
const PATTERN_LENGTH_MIN = 64;

const EMPTY_SELECTOR =
  'queries require at least one regexp or equality matcher that does not have an ' +
  'empty-compatible value. For instance, app=~".*" does not meet this requirement, but ' +
  'app=~".+" will';

/** Counts what regular expressions of a query cost. */
export class PatternBudget {
  #length = 0;

  spend(cursor: LogqlCursor, pattern: string): void {
    this.#length += Math.max(pattern.length, PATTERN_LENGTH_MIN);
    if (this.#length <= PATTERN_LENGTH_MAX) return;
    throw cursor.problem(cursor.peek(), 'the regular expressions of the query are too long');
  }
}

/** `{a="b", c!~"d"}`. */
export function parseMatchers(cursor: LogqlCursor, budget: PatternBudget): readonly Matcher[] {
  const open = cursor.expectText('{');
  const matchers: Matcher[] = [];
  while (!cursor.takeText('}')) {
    if (matchers.length === MATCHER_COUNT_MAX) {
      throw cursor.problem(cursor.peek(), `a selector has more than ${MATCHER_COUNT_MAX} matchers`);
    }
    const label = cursor.labelName();
    const type = cursor.peek();
    if (type.type === 'string' || !MATCH_TYPES.has(type.text)) {
      throw cursor.unexpected('', '= or != or =~ or !~');
    }
    cursor.next();
    const isPattern = type.text.endsWith('~');
    if (isPattern) budget.spend(cursor, cursor.peek().text);
    matchers.push(parseMatcherValue(cursor, type.text as MatchType, label));
    if (cursor.takeText('}')) break;
    if (!cursor.takeText(',')) throw cursor.unexpected('', '} or ,');
  }
  if (matchers.some((matcher) => !matcher.matches(''))) return matchers;
  throw cursor.wholeProblem(open, EMPTY_SELECTOR);
}

/** Takes the next stage; undefined where none comes next, as before `| unwrap`. */
export function parseStage(
  cursor: LogqlCursor,
  stageCount: number,
  budget: PatternBudget,
): LogqlStage | undefined {
  const token = cursor.peek();
  const isLineFilter = token.type !== 'string' && LINE_OPERATORS.has(token.text);
  if (!isLineFilter && (!cursor.at('|') || cursor.at('unwrap', 1))) return undefined;
  if (stageCount === STAGE_COUNT_MAX) {
    throw cursor.problem(token, `a pipeline has more than ${STAGE_COUNT_MAX} stages`);
  }
  if (isLineFilter) return parseLineFilter(cursor, budget);
  cursor.next();
  return parsePipeStage(cursor, budget);
}

function parseLineFilter(cursor: LogqlCursor, budget: PatternBudget): LineFilter {
  const operator = cursor.next().text as LineFilterOperator;
  const alternatives: LineAlternative[] = [];
  do {
    cursor.countOperator(cursor.peek());
    alternatives.push(parseAlternative(cursor, operator, budget));
  } while (cursor.takeText('or'));
  return { kind: 'line_filter', operator, alternatives };
}

function parseAlternative(
  cursor: LogqlCursor,
  operator: LineFilterOperator,
  budget: PatternBudget,
): LineAlternative {
  const token = cursor.peek();
  if (cursor.at('ip')) {
    if (operator !== '|=' && operator !== '!=') throw cursor.unexpected('', 'STRING');
    cursor.next();
    cursor.expectText('(');
    const value = cursor.stringText();
    cursor.expectText(')');
    return { value, isIp: true };
  }
  const value = cursor.stringText();
  if (operator.endsWith('~')) checkRegexp(cursor, token, value, budget, '');
  if (operator.endsWith('>')) {
    const parts = parseLinePattern(value);
    if (typeof parts === 'string') throw cursor.problem(token, `invalid line pattern: ${parts}`);
  }
  return { value, isIp: false };
}

function parsePipeStage(cursor: LogqlCursor, budget: PatternBudget): LogqlStage {
  const token = cursor.peek();
  const isFilter = MATCH_TYPES.has(cursor.peek(1).text) || /^[<>=]=?$/.test(cursor.peek(1).text);
  // A word before a comparison is a label, whatever it means elsewhere.
  if (token.type !== 'identifier' || isFilter) return labelFilter(cursor);
  switch (token.text) {
    case 'json':
      cursor.next();
      return { kind: 'json', extractions: parseExtractions(cursor, true) };
    case 'logfmt':
      cursor.next();
      return parseLogfmt(cursor);
    case 'regexp':
    case 'pattern':
      cursor.next();
      return parsePatternStage(cursor, token.text, budget);
    case 'unpack':
    case 'decolorize':
      cursor.next();
      return { kind: token.text };
    case 'line_format':
      cursor.next();
      return { kind: 'line_format', template: cursor.stringText() };
    case 'label_format':
      cursor.next();
      return { kind: 'label_format', formats: parseFormats(cursor) };
    case 'drop':
    case 'keep':
      cursor.next();
      return { kind: token.text, labels: parseChoices(cursor, budget) };
    default:
      return labelFilter(cursor);
  }
}

function labelFilter(cursor: LogqlCursor): LogqlStage {
  return { kind: 'label_filter', filter: parseLabelFilter(cursor) };
}

function parseLogfmt(cursor: LogqlCursor): LogqlStage {
  let strict = false;
  let keepEmpty = false;
  while (cursor.peek().type === 'flag') {
    if (cursor.next().text === '--strict') strict = true;
    else keepEmpty = true;
  }
  return { kind: 'logfmt', strict, keepEmpty, extractions: parseExtractions(cursor, false) };
}

/** `a="x.y", b`; none where something else comes next. */
function parseExtractions(cursor: LogqlCursor, isJson: boolean): LabelExtraction[] {
  const extractions: LabelExtraction[] = [];
  while (cursor.peek().type === 'identifier') {
    const label = cursor.next().text;
    const token = cursor.peek();
    const expression = cursor.takeText('=') ? cursor.stringText() : label;
    const isValid = isJson
      ? parseJsonPath(expression) !== undefined
      : /^[^\s="[\]]+$/.test(expression);
    if (!isValid) {
      throw cursor.problem(token, `cannot parse expression [${expression}]: syntax error`);
    }
    extractions.push({ label, expression });
    if (!cursor.takeText(',')) break;
    if (cursor.peek().type !== 'identifier') throw cursor.unexpected('', 'IDENTIFIER');
  }
  return extractions;
}

function parsePatternStage(
  cursor: LogqlCursor,
  kind: 'regexp' | 'pattern',
  budget: PatternBudget,
): LogqlStage {
  const token = cursor.peek();
  const pattern = cursor.stringText();
  if (kind === 'pattern') {
    const parts = parsePattern(pattern);
    if (typeof parts !== 'string') return { kind, pattern };
    throw cursor.wholeProblem(token, `invalid pattern parser: ${parts}`);
  }
  checkRegexp(cursor, token, pattern, budget, 'invalid regexp parser: ');
  const names = [...pattern.matchAll(/\(\?P?<([^>=!]*)>/g)].map(([, name]) => name);
  const problem = regexpNamesProblem(names);
  if (problem === undefined) return { kind, pattern };
  throw cursor.wholeProblem(token, `invalid regexp parser: ${problem}`);
}

function regexpNamesProblem(names: readonly string[]): string | undefined {
  if (names.length === 0) return 'at least one named capture must be supplied';
  const invalid = names.find((name) => !isClassicLabelName(name));
  if (invalid !== undefined) return `invalid extracted label name '${invalid}'`;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `duplicate extracted label name '${twice}'`;
}

function checkRegexp(
  cursor: LogqlCursor,
  token: { readonly start: number; readonly end: number },
  pattern: string,
  budget: PatternBudget,
  prefix: string,
): void {
  budget.spend(cursor, pattern);
  try {
    compileSearch(pattern);
  } catch (error) {
    throw cursor.wholeProblem(token, prefix + errorMessage(error));
  }
}

function parseFormats(cursor: LogqlCursor): LabelFormat[] {
  const formats: LabelFormat[] = [];
  const seen = new Set<string>();
  do {
    const token = cursor.peek();
    cursor.countOperator(token);
    const label = cursor.labelName();
    cursor.expectText('=');
    const isTemplate = cursor.peek().type === 'string';
    const from = isTemplate ? { template: cursor.stringText() } : { label: cursor.labelName() };
    if (label === '__error__') {
      throw cursor.wholeProblem(token, `${label} cannot be formatted`);
    }
    if (seen.has(label)) {
      const reason = `multiple label name '${label}' not allowed in a single format operation`;
      throw cursor.wholeProblem(token, reason);
    }
    seen.add(label);
    formats.push({ label, from });
  } while (cursor.takeText(','));
  return formats;
}

function parseChoices(cursor: LogqlCursor, budget: PatternBudget): LabelChoice[] {
  const labels: LabelChoice[] = [];
  do {
    cursor.countOperator(cursor.peek());
    const name = cursor.labelName();
    const type = cursor.peek();
    if (type.type === 'string' || !MATCH_TYPES.has(type.text)) {
      labels.push({ name, matcher: undefined });
      continue;
    }
    cursor.next();
    if (type.text.endsWith('~')) budget.spend(cursor, cursor.peek().text);
    labels.push({ name, matcher: parseMatcherValue(cursor, type.text as MatchType, name) });
  } while (cursor.takeText(','));
  return labels;
}
