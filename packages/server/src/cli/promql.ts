/** `tyto promql …`: expressions made readable, and their matchers changed. */
import { TytoError } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType, METRIC_NAME } from '@tyto/model';
import { type Expr, mapSelectors, parseExpr, prettyExpr } from '@tyto/syntax';
import { type Command, print, runCommands } from './commands.ts';

const MATCH_TYPES: readonly string[] = ['=', '!=', '=~', '!~'];

const COMMANDS: Readonly<Record<string, Command>> = {
  format: {
    usage: 'EXPRESSION',
    help: 'Prints an expression with line breaks.',
    flags: [],
    wordsMin: 1,
    wordsMax: 1,
    run: async ({ words }) => show(parseExpr(words[0])),
  },
  'label-matchers': {
    usage:
      'set [--type==] EXPRESSION NAME VALUE\n' +
      '  tyto promql label-matchers delete EXPRESSION NAME',
    help: 'Sets or deletes the matcher of a label in all selectors of an expression.',
    flags: [
      {
        name: 'type',
        short: 't',
        kind: 'text',
        fallback: '=',
        help: 'Of the matcher that is set: =, !=, =~ or !~.',
      },
    ],
    wordsMin: 3,
    wordsMax: 4,
    run: async (call) => {
      const [action, text, name, value] = call.words;
      checkLabel(name);
      if (action === 'delete' && value === undefined) {
        return show(changed(text, (matchers) => matchers.filter((one) => one.name !== name)));
      }
      if (action !== 'set' || value === undefined) {
        const usage = 'set EXPRESSION NAME VALUE, or delete EXPRESSION NAME';
        throw new TytoError('bad_data', `usage: tyto promql label-matchers ${usage}`);
      }
      const type = call.text('type');
      if (!MATCH_TYPES.includes(type)) {
        throw new TytoError('bad_data', `--type: "${type}" is none of ${MATCH_TYPES.join(', ')}`);
      }
      const matcher = createMatcher(type as MatchType, name, value);
      return show(changed(text, (matchers) => withMatcher(matchers, matcher)));
    },
  },
};

/** Rejects with TytoError for a wrong call, and for what is no expression. */
export async function promql(args: readonly string[]): Promise<void> {
  await runCommands('promql', 'Tools for expressions.', COMMANDS, args);
}

function show(expr: Expr): number {
  print(prettyExpr(expr));
  return 0;
}

function changed(text: string, change: (matchers: readonly Matcher[]) => Matcher[]): Expr {
  return mapSelectors(parseExpr(text), (selector) => ({
    ...selector,
    matchers: change(selector.matchers),
  }));
}

/** In the place of the label's matchers, or behind the others. */
function withMatcher(matchers: readonly Matcher[], matcher: Matcher): Matcher[] {
  const index = matchers.findIndex(({ name }) => name === matcher.name);
  if (index < 0) return [...matchers, matcher];
  return matchers
    .map((one, i) => (i === index ? matcher : one))
    .filter((one, i) => i === index || one.name !== matcher.name);
}

function checkLabel(name: string): void {
  if (name !== METRIC_NAME && name !== '') return;
  throw new TytoError('bad_data', `"${name}" is no label whose matchers can be changed`);
}
