/**
 * Runs a parsed template over data. Output, steps and depth are bounded, so that no template can
 * hold the process up. A function that needs an answer from outside (`query`) throws a Suspension;
 * the caller waits for it and runs the template again.
 */
import { TytoError } from '@tyto/base';
import { formatTime } from './goTime.ts';
import { HtmlContext } from './htmlContext.ts';
import type { Branch, Command, Node, Operand, Pipe, TemplateSet } from './ast.ts';
import { GoDuration, GoInt, GoStruct, GoTime, isTrue, print, type Value } from './values.ts';

export type TemplateFunction = (...args: Value[]) => Value;
export type TemplateFunctions = Pick<ReadonlyMap<string, TemplateFunction>, 'get'>;

export interface ExecuteOptions {
  readonly set: TemplateSet;
  readonly functions: TemplateFunctions;
  /** Escapes what actions print, as html/template does. */
  readonly html: boolean;
}

/** Bytes that one template may print. */
const OUTPUT_LENGTH_MAX = 4 * 1024 * 1024;
const STEPS_MAX = 1_000_000;
const TEMPLATE_DEPTH_MAX = 100;
/** So many characters or items that a function takes or gives count as one more step. */
const LENGTH_PER_STEP = 64;

type Flow = 'next' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: Value;
}

/** Runs the template `name` with `data` as its dot. Throws TytoError `execution`. */
export function executeTemplate(
  name: string,
  data: Value,
  variables: Readonly<Record<string, Value>>,
  options: ExecuteOptions,
): string {
  const run = new Execution(options);
  try {
    run.callTemplate(name, data, Object.entries(variables));
  } catch (error) {
    // A text or a stack beyond what the machine takes.
    if (!(error instanceof RangeError)) throw error;
    throw new TytoError('execution', 'the template needs too much memory', { cause: error });
  }
  return run.output();
}

class Execution {
  readonly #options: ExecuteOptions;
  readonly #parts: string[] = [];
  #length = 0;
  #steps = 0;
  #depth = 0;
  #variables: Variable[] = [];
  readonly #html: HtmlContext | undefined;

  constructor(options: ExecuteOptions) {
    this.#options = options;
    this.#html = options.html ? new HtmlContext() : undefined;
  }

  output(): string {
    return this.#parts.join('');
  }

  callTemplate(name: string, data: Value, extra: readonly (readonly [string, Value])[] = []): void {
    const nodes = this.#options.set.get(name);
    if (nodes === undefined) fail(`template "${name}" not defined`);
    if (++this.#depth > TEMPLATE_DEPTH_MAX) fail('templates call each other too deeply');
    const outer = this.#variables;
    this.#variables = [
      { name: '$', value: data },
      ...extra.map(([variable, value]) => ({ name: `$${variable}`, value })),
    ];
    this.#walk(nodes, data);
    this.#variables = outer;
    this.#depth--;
  }

  #walk(nodes: readonly Node[], dot: Value): Flow {
    for (const node of nodes) {
      this.#spend(1);
      const flow = this.#visit(node, dot);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  #visit(node: Node, dot: Value): Flow {
    switch (node.kind) {
      case 'text':
        this.#write(this.#html === undefined ? node.text : this.#html.literal(node.text));
        return 'next';
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#write(this.#shown(value, node.pipe));
        return 'next';
      }
      case 'if':
      case 'with':
        return this.#branch(node.kind, node.branch, dot);
      case 'range':
        return this.#range(node.branch, dot);
      case 'template':
        this.callTemplate(node.name, node.pipe === undefined ? null : this.#pipe(node.pipe, dot));
        return 'next';
      default:
        return node.kind;
    }
  }

  #branch(kind: 'if' | 'with', branch: Branch, dot: Value): Flow {
    const scope = this.#variables.length;
    const value = this.#pipe(branch.pipe, dot);
    const inner = kind === 'with' ? value : dot;
    const flow = isTrue(value) ? this.#walk(branch.body, inner) : this.#walk(branch.otherwise, dot);
    this.#variables.length = scope;
    return flow;
  }

  #range(branch: Branch, dot: Value): Flow {
    const scope = this.#variables.length;
    const entries = rangeEntries(this.#pipe(branch.pipe, dot));
    // A body may be empty, and its list be made all the same.
    this.#spend(entries.length);
    const own = this.#variables.length - branch.pipe.variables.length;
    for (const [key, item] of entries) {
      const names = branch.pipe.variables;
      if (names.length === 1) this.#setLoop(branch.pipe, own, 0, item);
      if (names.length === 2) {
        this.#setLoop(branch.pipe, own, 0, key);
        this.#setLoop(branch.pipe, own, 1, item);
      }
      const inner = this.#variables.length;
      const flow = this.#walk(branch.body, item);
      this.#variables.length = inner;
      if (flow === 'break') break;
    }
    if (entries.length === 0) this.#walk(branch.otherwise, dot);
    this.#variables.length = scope;
    return 'next';
  }

  #setLoop(pipe: Pipe, own: number, index: number, value: Value): void {
    if (pipe.declares) this.#variables[own + index].value = value;
    else this.#assign(pipe.variables[index], value);
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let value: Value;
    let isFirst = true;
    for (const command of pipe.commands) {
      value = this.#command(command, dot, isFirst ? [] : [value]);
      isFirst = false;
    }
    for (const name of pipe.variables) {
      if (pipe.declares) this.#variables.push({ name, value });
      else this.#assign(name, value);
    }
    return value;
  }

  #assign(name: string, value: Value): void {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    if (variable === undefined) fail(`undefined variable ${name}`);
    variable.value = value;
  }

  #command(command: Command, dot: Value, piped: readonly Value[]): Value {
    const [head, ...rest] = command.operands;
    if (head.kind === 'function') return this.#call(head.name, rest, dot, piped);
    const given = rest.length + piped.length;
    if (head.kind === 'fields') {
      const args = [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
      return this.#fields(head.base, head.names, dot, args);
    }
    if (given > 0) fail(`can't give argument to non-function ${describe(head)}`);
    if (head.kind === 'nil') fail('nil is not a command');
    return this.#operand(head, dot);
  }

  #call(name: string, rest: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, dot, piped);
    const args = [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    const callee = this.#options.functions.get(name);
    if (callee === undefined) return fail(`function "${name}" not defined`);
    this.#work(args);
    const result = callee(...args);
    this.#work([result]);
    return result;
  }

  /** Long texts and lists are work too; what doubles itself ends here. */
  #work(values: readonly Value[]): void {
    for (const value of values) {
      if (typeof value !== 'string' && !Array.isArray(value)) continue;
      if (value.length > OUTPUT_LENGTH_MAX) {
        fail(`a value of the template is longer than ${OUTPUT_LENGTH_MAX}`);
      }
      this.#spend(Math.ceil(value.length / LENGTH_PER_STEP));
    }
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > STEPS_MAX) fail(`the template takes more than ${STEPS_MAX} steps`);
  }

  #shortCircuit(
    name: 'and' | 'or',
    rest: readonly Operand[],
    dot: Value,
    piped: readonly Value[],
  ): Value {
    if (rest.length + piped.length === 0) fail(`wrong number of args for ${name}: want at least 1`);
    let value: Value;
    for (const operand of rest) {
      value = this.#operand(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return literalValue(operand.value);
      case 'variable':
        return this.#variable(operand.name);
      case 'function':
        return this.#call(operand.name, [], dot, []);
      case 'pipe':
        return this.#pipe(operand.pipe, dot);
      case 'fields':
        return this.#fields(operand.base, operand.names, dot, []);
    }
  }

  #variable(name: string): Value {
    const variable = this.#variables.findLast((candidate) => candidate.name === name);
    return variable === undefined ? fail(`undefined variable ${name}`) : variable.value;
  }

  /** A chain of fields; arguments go to the last one, which must be a method then. */
  #fields(base: Operand, names: readonly string[], dot: Value, args: readonly Value[]): Value {
    let value = this.#operand(base, dot);
    names.forEach((name, i) => {
      value = fieldOf(value, name, i === names.length - 1 ? args : []);
    });
    return value;
  }

  #shown(value: Value, { commands }: Pipe): string {
    if (this.#html === undefined) return print(value);
    const last = commands[commands.length - 1].operands[0];
    return this.#html.value(value, last.kind === 'function' ? last.name : '');
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > OUTPUT_LENGTH_MAX) {
      fail(`the template prints more than ${OUTPUT_LENGTH_MAX} characters`);
    }
    this.#parts.push(text);
  }
}

function fieldOf(value: Value, name: string, args: readonly Value[]): Value {
  if (value instanceof GoStruct) {
    const method = value.methods.get(name);
    if (method !== undefined) return method(...args);
    if (value.fields.has(name)) return noArguments(value.fields.get(name), name, args);
    if (value.underlying !== undefined) return fieldOf(value.underlying, name, args);
    return fail(`can't evaluate field ${name}`);
  }
  if (value instanceof GoTime) return timeMethod(value, name, args);
  if (value instanceof GoDuration) return durationMethod(value, name);
  if (value instanceof Map) return noArguments(value.get(name) ?? zeroOf(value), name, args);
  if (value === null || value === undefined) return fail(`nil pointer evaluating field ${name}`);
  return fail(`can't evaluate field ${name} of ${print(value).slice(0, 40)}`);
}

/** The zero value of a map: '' where its values are strings, which all of ours but few are. */
export function zeroOf(map: ReadonlyMap<string, Value>): Value {
  for (const value of map.values()) return typeof value === 'string' ? '' : undefined;
  return '';
}

function noArguments(value: Value, name: string, args: readonly Value[]): Value {
  return args.length === 0 ? value : fail(`${name} has arguments but is no method`);
}

function timeMethod(time: GoTime, name: string, args: readonly Value[]): Value {
  const simple: Record<string, () => Value> = {
    Unix: () => new GoInt(Math.floor(time.ms / 1000)),
    UnixMilli: () => new GoInt(time.ms),
    UnixNano: () => new GoInt(time.ms * 1e6 + time.restNs),
    UTC: () => new GoTime(time.ms),
    Local: () => time,
    IsZero: () => time.ms <= -62_135_596_800_000,
    String: () => print(time),
    Format: () => formatTime(typeof args[0] === 'string' ? args[0] : '', time),
    Sub: () => new GoDuration(time.ms - (args[0] instanceof GoTime ? args[0].ms : 0)),
    Add: () => new GoTime(time.ms + (args[0] instanceof GoDuration ? args[0].ms : 0), time.zone),
    After: () => args[0] instanceof GoTime && time.ms > args[0].ms,
    Before: () => args[0] instanceof GoTime && time.ms < args[0].ms,
    Year: () => new GoInt(Number(formatTime('2006', time))),
    Day: () => new GoInt(Number(formatTime('2', time))),
    Hour: () => new GoInt(Number(formatTime('15', time))),
    Minute: () => new GoInt(Number(formatTime('4', time))),
    Second: () => new GoInt(Number(formatTime('5', time))),
    Month: () => formatTime('January', time),
    Weekday: () => formatTime('Monday', time),
  };
  const method = Object.hasOwn(simple, name) ? simple[name] : undefined;
  return method === undefined ? fail(`can't evaluate field ${name} of a time`) : method();
}

function durationMethod(duration: GoDuration, name: string): Value {
  switch (name) {
    case 'Seconds':
      return duration.ms / 1000;
    case 'Minutes':
      return duration.ms / 60_000;
    case 'Hours':
      return duration.ms / 3600_000;
    case 'Milliseconds':
      return new GoInt(duration.ms);
    case 'String':
      return print(duration);
    default:
      return fail(`can't evaluate field ${name} of a duration`);
  }
}

function rangeEntries(value: Value): (readonly [Value, Value])[] {
  if (value === null || value === undefined) return [];
  if (value instanceof GoStruct && value.underlying !== undefined) {
    return rangeEntries(value.underlying);
  }
  if (Array.isArray(value)) return value.map((item: Value, i) => [new GoInt(i), item] as const);
  if (value instanceof Map) {
    const keys = [...(value.keys() as IterableIterator<string>)].sort((a, b) => (a < b ? -1 : 1));
    return keys.map((key) => [key, value.get(key)] as const);
  }
  if (value instanceof GoInt) {
    const count = Math.min(value.value, STEPS_MAX);
    return Array.from(
      { length: Math.max(0, count) },
      (_, i) => [new GoInt(i), new GoInt(i)] as const,
    );
  }
  return fail(`range can't iterate over ${print(value).slice(0, 40)}`);
}

function literalValue(value: string | boolean | { number: number; isFloat: boolean }): Value {
  if (typeof value !== 'object') return value;
  return value.isFloat ? value.number : new GoInt(value.number);
}

function describe(operand: Operand): string {
  return operand.kind === 'variable' ? operand.name : operand.kind;
}

export function fail(message: string): never {
  throw new TytoError('execution', message);
}
