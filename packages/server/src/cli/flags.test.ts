import { describe, expect, it } from 'vitest';
import { parseFlags, parseSize, START_FLAGS } from './flags.ts';

const parse = (...args: string[]) => parseFlags(args, START_FLAGS);

describe('parseFlags', () => {
  it('reads values behind an equals sign or a space, and switches', () => {
    const { flags, given } = parse(
      '--config.file=a.yml',
      '--log.level',
      'debug',
      '--no-web.enable-lifecycle',
    );
    expect(flags.get('config.file')).toBe('a.yml');
    expect(flags.get('log.level')).toBe('debug');
    expect(flags.get('web.enable-lifecycle')).toBe('false');
    expect(flags.get('web.listen-address')).toBe('127.0.0.1:9090');
    expect([...given]).toEqual(['config.file', 'log.level', 'web.enable-lifecycle']);
  });

  it('reads letters, several values, and no flags behind two dashes', () => {
    const known = [
      { name: 'match', kind: 'text', fallback: '', help: '' },
      { name: 'format', short: 'o', kind: 'text', fallback: 'promql', help: '' },
    ] as const;
    const { flags, values, rest } = parseFlags(
      ['--match=a', '-o', 'json', '--match', 'b', 'server', '--', '-up', '--match=c'],
      known,
    );
    expect(flags.get('format')).toBe('json');
    expect(values.get('match')).toEqual(['a', 'b']);
    expect(rest).toEqual(['server', '-up', '--match=c']);
  });

  it('refuses what it does not know with the nearest right name', () => {
    expect(() => parse('--confg.file=x')).toThrow(
      'unknown flag --confg.file; did you mean --config.file?',
    );
    expect(() => parse('--xyzzy')).toThrow('see tyto --help');
    expect(() => parse('--query.timeout=5x')).toThrow('"5x" is no duration');
    expect(() => parse('--query.max-samples=many')).toThrow('"many" is no number');
    expect(() => parse('--storage.tsdb.retention.size=big')).toThrow('"big" is no size');
    expect(() => parse('--config.file')).toThrow('needs a value');
    expect(() => parse('--web.enable-lifecycle=maybe')).toThrow('neither true nor false');
  });

  it('joins what a list gets in several flags', () => {
    const { flags } = parse('--enable-feature=search-api', '--enable-feature', 'old-ui,agent');
    expect(flags.get('enable-feature')).toBe('search-api,old-ui,agent');
  });

  it('knows sizes to the base of 1024', () => {
    expect(parseSize('50GB')).toBe(50 * 1024 ** 3);
    expect(parseSize('0')).toBe(0);
    expect(parseSize('1.5x')).toBeUndefined();
  });
});
