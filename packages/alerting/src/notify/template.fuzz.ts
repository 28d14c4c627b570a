import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, TytoError } from '@tyto/base';
import {
  NotifyTemplates,
  parseAlertmanagerConfig,
  parseMatchers,
  parseRuleFile,
} from '@tyto/alerting';

/** Pieces that templates are made of, in any order. */
const pieces = fc.constantFrom(
  '{{',
  '}}',
  '{{-',
  '-}}',
  ' ',
  '.',
  '.x',
  '$',
  '$x',
  ':=',
  '=',
  '|',
  '(',
  ')',
  ',',
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  'break',
  '"a"',
  '`b`',
  "'c'",
  '1',
  '-2.5',
  'printf',
  'index',
  'len',
  'slice',
  'eq',
  'reReplaceAll',
  'toJson',
  'join',
  'dict',
  'true',
  'nil',
  '/*',
  '*/',
  '\n',
  '한',
  '%d',
  '\\',
  '__proto__',
  'constructor',
);

const templates = new NotifyTemplates([], new ManualClock(0));

/** Nothing but TytoError may come out of hostile text. */
function onlyTytoErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TytoError);
  }
}

describe('hostile text', () => {
  it('as a template ends in an error that says so, or in text', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        onlyTytoErrors(() => templates.expand(`{{ ${text} }}`, new Map([['x', 'y']])));
        onlyTytoErrors(() => templates.expand(text, new Map([['x', 'y']]), true));
      }),
      { numRuns: 3000 },
    );
  });

  it('as a value in HTML stays where it stands', () => {
    const places = [
      '<p>{{ .x }}</p>',
      '<title>{{ .x }}</title>',
      '<a href="{{ .x }}">',
      "<a href='/p?q={{ .x }}'>",
      '<p title={{ .x }}>',
      '<p title="{{ .x | safeHtml }}">',
      '<p style="color: {{ .x }}">',
      '<p onclick="f({{ .x }})">',
      '<script>f({{ .x }})</script>',
      '<style>p { color: {{ .x }} }</style>',
      '<p {{ .x }}>',
      '<!-- {{ .x }} --><b>',
    ];
    const hostile = fc.array(fc.oneof(pieces, fc.string(), fc.constantFrom(...'<>"\'`=&;')), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.constantFrom(...places), hostile, (place, parts) => {
        // A text in a script has quotes of its own.
        const marks = place.startsWith('<script') ? /[^<>]/g : /[^<>"']/g;
        const shown = (x: string) =>
          templates.expand(place, new Map([['x', x]]), true).replace(marks, '');
        expect(shown(parts.join(''))).toBe(shown('x'));
      }),
      { numRuns: 3000 },
    );
  });

  it('as matchers, rule files and alertmanager.yml is refused or read', () => {
    const yamlish = fc.array(
      fc.oneof(
        fc.constantFrom(
          'groups:',
          'route:',
          'receivers:',
          '- ',
          '  ',
          '\n',
          ': ',
          '{',
          '}',
          '[',
          ']',
          'name',
          'rules',
          'alert',
          'expr',
          'up',
          'for: 5m',
          '&a',
          '*a',
          '<<',
          '"',
          '|',
          '>',
          '#',
          'null',
          '5',
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(yamlish, fc.string({ maxLength: 30 }), (parts, matcher) => {
        onlyTytoErrors(() => parseMatchers(matcher));
        onlyTytoErrors(() => parseRuleFile(parts.join(''), 'r.yml'));
        onlyTytoErrors(() => parseAlertmanagerConfig(parts.join(''), 'a.yml'));
      }),
      { numRuns: 3000 },
    );
  });
});
