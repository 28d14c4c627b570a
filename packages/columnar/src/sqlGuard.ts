/**
 * Which SQL people may run: one SELECT over the tables that are theirs. ClickHouse is told to write
 * nothing and to see one tenant's rows only (`userSql.ts`); what it has no setting for is refused
 * here, by the words of the query: other databases, functions that read something else than tables,
 * files to write to, and settings.
 */
import { TytoError } from '@tyto/base';

const SQL_LENGTH_MAX = 100_000;

/** Functions that make tables of their arguments. All others reach files, networks or metadata. */
const TABLE_FUNCTIONS_ALLOWED = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'generate_series',
  'generateseries',
  'values',
  'view',
]);
/** Functions in expressions that tell of more than the query's rows. */
const REFUSED_FUNCTIONS = [
  /^(?:file|filesystem.*|joinget.*|dict.*|hascolumnintable)$/,
  /^(?:get.*setting|getserverport|getclientheader|current(?:profiles|roles))$/,
  /^(?:catboost.*|evalmlmethod|sleep.*)$/,
];
const DATABASES = new Set(['system', 'information_schema', 'default']);
/** Words that lead out of a query. A column of such a name can be quoted with backticks. */
const REFUSED_WORDS = new Set([
  'into',
  'outfile',
  'settings',
  'format',
  'system',
  'information_schema',
]);

const STRAY = /['"`$\\]|[^ -~]/;

type TokenKind = 'word' | 'quoted' | 'text' | 'sign';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const TOKEN = new RegExp(
  [
    String.raw`\s+|--[^\n]*|#![^\n]*|# [^\n]*|/\*[\s\S]*?\*/`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    '`(?<tick>(?:[^`\\\\]|\\\\.|``)*)`',
    String.raw`"(?<double>(?:[^"\\]|\\.|"")*)"`,
    String.raw`(?<text>'(?:[^'\\]|\\.|'')*')`,
    String.raw`(?<number>[0-9][\w.]*)`,
    String.raw`(?<sign>[^\s\w])`,
  ].join('|'),
  'gsy',
);

/** What the database has, in lower case. */
export interface SqlNames {
  readonly tableFunctions: ReadonlySet<string>;
  /** Tables beside Tyto's own, which a server may have in the same database. */
  readonly foreignTables: ReadonlySet<string>;
}

/** Throws TytoError `bad_data` for a query that is not allowed. */
export function checkUserSql(sql: string, names: SqlNames): void {
  if (sql.length > SQL_LENGTH_MAX) throw refused(`is longer than ${SQL_LENGTH_MAX} characters`);
  const tokens = tokensOf(sql);
  const first = tokens.find(({ text }) => text !== '(')?.text.toLowerCase();
  if (first !== 'select' && first !== 'with') throw refused('has to begin with SELECT or WITH');
  for (const [i, { kind, text }] of tokens.entries()) {
    if (kind === 'text') continue;
    const name = text.toLowerCase();
    if (text === ';') throw refused('has to be one statement, without a semicolon');
    if (kind === 'sign') continue;
    if (kind === 'word' && REFUSED_WORDS.has(name)) {
      throw refused(`must not say ${text}; a column of that name goes into backticks`);
    }
    const next = tokens[i + 1]?.text;
    if (next === '(') checkFunction(text, names.tableFunctions);
    const before = tokens[i - 1]?.text.toLowerCase();
    const isDatabase = DATABASES.has(name) || before === 'from' || before === 'join';
    if (next === '.' && isDatabase) throw refused(`must not name a database (${text})`);
    if (names.foreignTables.has(name)) throw refused(`must not read ${text}`);
  }
}

function checkFunction(text: string, tableFunctions: ReadonlySet<string>): void {
  const name = text.toLowerCase();
  const isRefused =
    REFUSED_FUNCTIONS.some((pattern) => pattern.test(name)) ||
    (tableFunctions.has(name) && !TABLE_FUNCTIONS_ALLOWED.has(name));
  if (isRefused) throw refused(`must not call ${text}()`);
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(sql);
    if (match === null) throw refused(`can't be read from "${sql.slice(at, at + 20)}" on`);
    const { word, tick, double, text, number, sign } = match.groups ?? {};
    const quoted = tick ?? double;
    if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (quoted !== undefined) {
      if (/[\\`"]/.test(quoted)) throw refused('must not have escapes in quoted names');
      tokens.push({ kind: 'quoted', text: quoted });
    } else if (text !== undefined || number !== undefined) tokens.push({ kind: 'text', text: '' });
    else if (sign !== undefined) {
      // Heredocs, typographic quotes and quotes that don't end would hide what follows.
      if (STRAY.test(sign)) throw refused(`has a stray ${sign}`);
      tokens.push({ kind: 'sign', text: sign });
    }
  }
  return tokens;
}

function refused(what: string): TytoError {
  return new TytoError('bad_data', `the query ${what}`);
}
