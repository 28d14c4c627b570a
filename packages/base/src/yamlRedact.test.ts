import { describe, expect, it } from 'vitest';
import { redactYaml } from '@tyto/base';

const FIELDS = new Set(['password', 'credentials']);

describe('redactYaml', () => {
  it('covers a secret however it is written, and leaves the rest as it is', () => {
    const text = [
      'a: # kept',
      '  password: one',
      'b: {user: u, password: two}',
      'c:',
      '  "password": \'three\'',
      'd:',
      '  password: >-',
      '    four',
      '    more of four',
      'e:',
      '  credentials:',
      '    five',
      'f: [{password: "six"}]',
      'g: http://user:seven@host/x',
      'h: &anchor',
      '  password: &secret eight',
      '',
    ].join('\n');
    const shown = redactYaml(text, FIELDS);
    expect(shown).not.toMatch(/one|two|three|four|five|six|seven|eight/);
    expect(shown).toContain('a: # kept\n  password: <secret>\n');
    expect(shown).toContain('b: {user: u, password: <secret>}');
    expect(shown).toContain('http://user:<secret>@host/x');
    expect(shown.match(/<secret>/g)).toHaveLength(8);
  });

  it('covers a field below another one, and not elsewhere', () => {
    const text = 'hooks:\n- {name: a, url: http://secret}\nurl: http://open\n';
    const shown = redactYaml(text, new Set(['hooks/url']));
    expect(shown).toBe('hooks:\n- {name: a, url: <secret>}\nurl: http://open\n');
  });

  it('covers everything below a field, and not elsewhere', () => {
    const text = 'headers:\n  X-A: [one, two]\n  X-B: three\nX-C: open\n';
    const shown = redactYaml(text, new Set(['headers/*']));
    const covered = 'headers:\n  X-A: [<secret>, <secret>]\n  X-B: <secret>\nX-C: open\n';
    expect(shown).toBe(covered);
  });

  it('shows nothing of what is no YAML', () => {
    expect(redactYaml('password: [one', FIELDS)).toBe('<secret>');
  });
});
