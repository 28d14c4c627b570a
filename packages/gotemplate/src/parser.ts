/** From tokens to the syntax tree. See ast.ts. */
import type { Branch, Command, Node, Operand, Pipe, TemplateSet } from './ast.ts';
import { TemplateError, type Token, type TokenKind, tokenize } from './lexer.ts';

/** Nesting of blocks and parentheses; more is an attack, not a template. */
const DEPTH_MAX = 100;

const KEYWORDS = new Set([
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  'break',
  'continue',
]);

/**
 * Adds the templates that `source` defines to `set`, and its outermost text under `name`.
 * `functions` are the names that may be called. Throws TemplateError.
 */
export function parseTemplate(
  name: string,
  source: string,
  functions: ReadonlySet<string>,
  set: TemplateSet,
): void {
  const parser = new Parser(source, functions, set);
  set.set(name, parser.parseTop());
}

class Parser {
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #set: TemplateSet;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #rangeDepth = 0;
  #variables: string[] = ['$'];

  constructor(source: string, functions: ReadonlySet<string>, set: TemplateSet) {
    this.#source = source;
    this.#functions = functions;
    this.#set = set;
    this.#tokens = tokenize(source);
  }

  parseTop(): Node[] {
    const { nodes, terminator } = this.#parseList();
    if (terminator !== 'end of template') this.#fail(`unexpected {{${terminator}}}`);
    return nodes;
  }

  /** Nodes up to {{end}}, {{else}} or the end of the text; the terminator's keyword is consumed. */
  #parseList(): { nodes: Node[]; terminator: 'end' | 'else' | 'end of template' } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') return { nodes, terminator: 'end of template' };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      this.#skipSpace();
      const word = this.#peek();
      const keyword = word.kind === 'identifier' && KEYWORDS.has(word.text) ? word.text : undefined;
      if (keyword === 'end' || keyword === 'else') {
        this.#next();
        if (keyword === 'end') this.#expectClose();
        return { nodes, terminator: keyword };
      }
      const node = keyword === undefined ? this.#parseAction() : this.#parseKeyword(keyword);
      if (node !== undefined) nodes.push(node);
    }
  }

  #parseAction(): Node {
    const pipe = this.#parsePipe('close');
    this.#next();
    return { kind: 'action', pipe };
  }

  #parseKeyword(keyword: string): Node | undefined {
    this.#next();
    switch (keyword) {
      case 'if':
      case 'with':
        return { kind: keyword, branch: this.#parseBranch(keyword) };
      case 'range':
        return { kind: 'range', branch: this.#parseBranch(keyword) };
      case 'template':
        return this.#parseTemplateCall();
      case 'break':
      case 'continue':
        if (this.#rangeDepth === 0) this.#fail(`{{${keyword}}} outside {{range}}`);
        this.#expectClose();
        return { kind: keyword };
      default:
        return this.#parseDefinition(keyword);
    }
  }

  #parseBranch(keyword: 'if' | 'with' | 'range'): Branch {
    this.#enter();
    const scope = this.#variables.length;
    const pipe = this.#parsePipe('close', keyword === 'range');
    this.#next();
    if (keyword === 'range') this.#rangeDepth++;
    const { nodes: body, terminator } = this.#parseList();
    if (keyword === 'range') this.#rangeDepth--;
    if (terminator === 'end of template')
      this.#fail(`unexpected EOF: {{${keyword}}} has no {{end}}`);
    const otherwise = terminator === 'else' ? this.#parseElse(keyword) : [];
    this.#variables.length = scope;
    this.#depth--;
    return { pipe, body, otherwise };
  }

  #parseElse(keyword: string): Node[] {
    this.#skipSpace();
    const word = this.#peek();
    // {{else if}} and {{else with}} share the {{end}} of what they follow.
    if (word.kind === 'identifier' && (word.text === 'if' || word.text === 'with')) {
      if (keyword === 'range') this.#fail(`unexpected <${word.text}> after {{else}} of {{range}}`);
      this.#next();
      return [{ kind: word.text, branch: this.#parseBranch(word.text) }];
    }
    this.#expectClose();
    const { nodes, terminator } = this.#parseList();
    if (terminator !== 'end') this.#fail(`expected {{end}}, found ${terminator}`);
    return nodes;
  }

  #parseTemplateCall(): Node {
    this.#skipSpace();
    const name = this.#parseName('template clause');
    this.#skipSpace();
    if (this.#peek().kind === 'close') {
      this.#next();
      return { kind: 'template', name, pipe: undefined };
    }
    const pipe = this.#parsePipe('close');
    this.#next();
    return { kind: 'template', name, pipe };
  }

  #parseDefinition(keyword: string): Node | undefined {
    this.#enter();
    this.#skipSpace();
    const name = this.#parseName(`${keyword} clause`);
    this.#skipSpace();
    const pipe = keyword === 'block' ? this.#parsePipe('close') : undefined;
    this.#expectClose();
    const outer = this.#variables;
    this.#variables = ['$'];
    const { nodes, terminator } = this.#parseList();
    if (terminator !== 'end') this.#fail(`unexpected ${terminator} in {{${keyword} "${name}"}}`);
    this.#variables = outer;
    this.#depth--;
    // An empty definition does not replace one that says something.
    const isEmpty = nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
    if (!isEmpty || !this.#set.has(name)) this.#set.set(name, nodes);
    return keyword === 'block' ? { kind: 'template', name, pipe } : undefined;
  }

  #parseName(context: string): string {
    const token = this.#next();
    if (token.kind !== 'string') this.#fail(`unexpected "${token.text}" in ${context}`, token);
    return this.#unquote(token);
  }

  #parsePipe(end: TokenKind, isRange = false): Pipe {
    this.#skipSpace();
    const { variables, declares } = this.#parseVariables(isRange);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token.kind === end) break;
      if (token.kind === 'pipe' && commands.length > 0) {
        this.#next();
        this.#skipSpace();
        if (this.#peek().kind === end) this.#fail('missing value for command');
        continue;
      }
      commands.push(this.#parseCommand(end));
    }
    if (commands.length === 0) this.#fail('missing value for command');
    for (const name of declares ? variables : []) this.#variables.push(name);
    return { variables, declares, commands };
  }

  #parseVariables(isRange: boolean): { variables: string[]; declares: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peek().kind === 'variable') {
      variables.push(this.#next().text);
      this.#skipSpace();
      const token = this.#peek();
      if (token.kind === 'declare' || token.kind === 'assign') {
        this.#next();
        const declares = token.kind === 'declare';
        if (!declares) for (const name of variables) this.#checkVariable(name, token);
        return { variables, declares };
      }
      if (token.kind !== 'comma' || !isRange || variables.length > 1) break;
      this.#next();
      this.#skipSpace();
    }
    this.#at = start;
    return { variables: [], declares: false };
  }

  #parseCommand(end: TokenKind): Command {
    const operands: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#peek();
      if (token.kind === end || token.kind === 'pipe') break;
      operands.push(this.#parseOperand());
      const after = this.#peek();
      if (after.kind !== 'space' && after.kind !== end && after.kind !== 'pipe') {
        this.#fail(`unexpected "${after.text}" in operand`, after);
      }
    }
    if (operands.length === 0) this.#fail('missing value for command');
    return { operands };
  }

  #parseOperand(): Operand {
    const token = this.#peek();
    const base = this.#parseTerm();
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1));
    if (names.length === 0) return base;
    if (base.kind === 'literal' || base.kind === 'nil') {
      this.#fail(`unexpected . after term "${token.text}"`, token);
    }
    return { kind: 'fields', base, names };
  }

  #parseTerm(): Operand {
    const token = this.#next();
    switch (token.kind) {
      case 'dot':
        return { kind: 'dot' };
      case 'field':
        // Step back: the field is read as one of the dot's.
        this.#at--;
        return { kind: 'dot' };
      case 'variable':
        this.#checkVariable(token.text, token);
        return { kind: 'variable', name: token.text };
      case 'string':
        return { kind: 'literal', value: this.#unquote(token) };
      case 'number':
        return { kind: 'literal', value: this.#parseNumber(token) };
      case 'char':
        return { kind: 'literal', value: { number: this.#charCode(token), isFloat: false } };
      case 'leftParen':
        return this.#parseParentheses();
      case 'identifier':
        return this.#parseIdentifier(token);
      default:
        return this.#fail(`unexpected "${token.text}" in command`, token);
    }
  }

  #parseParentheses(): Operand {
    this.#enter();
    const pipe = this.#parsePipe('rightParen');
    this.#next();
    this.#depth--;
    return { kind: 'pipe', pipe };
  }

  #parseIdentifier(token: Token): Operand {
    if (token.text === 'true' || token.text === 'false') {
      return { kind: 'literal', value: token.text === 'true' };
    }
    if (token.text === 'nil') return { kind: 'nil' };
    if (!this.#functions.has(token.text)) {
      this.#fail(`function "${token.text}" not defined`, token);
    }
    return { kind: 'function', name: token.text };
  }

  #parseNumber(token: Token): { number: number; isFloat: boolean } {
    const text = token.text.replaceAll('_', '');
    const isFloat = /[.]|^[+-]?[^xX]*[eE]/.test(text) && !/^[+-]?0[xX]/.test(text);
    const sign = text.startsWith('-') ? -1 : 1;
    const number = sign * Number(text.replace(/^[+-]/, ''));
    if (Number.isNaN(number)) this.#fail(`bad number syntax: "${token.text}"`, token);
    return { number, isFloat };
  }

  #charCode(token: Token): number {
    const text = this.#unescape(token.text.slice(1, -1), token);
    if ([...text].length !== 1) this.#fail(`malformed character constant: ${token.text}`, token);
    return text.codePointAt(0) ?? 0;
  }

  #unquote(token: Token): string {
    const inside = token.text.slice(1, -1);
    return token.text.startsWith('`') ? inside : this.#unescape(inside, token);
  }

  #unescape(text: string, token: Token): string {
    const simple: Record<string, string> = {
      a: '\x07',
      b: '\b',
      f: '\f',
      n: '\n',
      r: '\r',
      t: '\t',
      v: '\v',
      '\\': '\\',
      "'": "'",
      '"': '"',
    };
    const pattern =
      /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))/gs;
    return text.replace(pattern, (all, plain, hex, short, long, octal, bad) => {
      if (plain !== undefined) return simple[plain];
      if (bad !== undefined) return this.#fail(`invalid escape ${all} in ${token.text}`, token);
      const code = Number.parseInt(hex ?? short ?? long ?? octal, octal === undefined ? 16 : 8);
      return code <= 0x10ffff
        ? String.fromCodePoint(code)
        : this.#fail('invalid code point', token);
    });
  }

  #checkVariable(name: string, token: Token): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable "${name}"`, token);
  }

  #expectClose(): void {
    this.#skipSpace();
    const token = this.#next();
    if (token.kind !== 'close') this.#fail(`unexpected "${token.text}", expected }}`, token);
  }

  #enter(): void {
    if (++this.#depth > DEPTH_MAX) this.#fail(`blocks are nested deeper than ${DEPTH_MAX}`);
  }

  #skipSpace(): void {
    while (this.#peek().kind === 'space') this.#at++;
  }

  #peek(): Token {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #fail(message: string, token: Token = this.#peek()): never {
    throw new TemplateError(this.#source, token.offset, message);
  }
}
