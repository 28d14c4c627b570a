import { describe, expect, it } from 'vitest';
import { en } from './en.ts';
import { ko } from './ko.ts';

/** Names that are the same in both languages. */
const SAME = new Set(['home.cpu', 'shell.zoneUtc', 'query.stats', 'home.strains.cpu']);

function flatten(value: unknown, path: string, found: Map<string, string>): Map<string, string> {
  if (typeof value === 'string') found.set(path, value);
  else if (typeof value === 'function') found.set(path, String(value(...[2, 3, 4])));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      flatten(one, path === '' ? key : `${path}.${key}`, found);
    }
  }
  return found;
}

describe('the dictionaries', () => {
  const english = flatten(en, '', new Map());
  const korean = flatten(ko, '', new Map());

  it('have the same keys', () => {
    expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('have no empty text', () => {
    for (const text of [...english.values(), ...korean.values()]) expect(text.trim()).not.toBe('');
  });

  it('have no English left in the Korean one, and no Korean in the English one', () => {
    for (const [key, text] of korean) {
      if (!SAME.has(key)) expect([key, /[가-힣]/.test(text)]).toEqual([key, true]);
    }
    for (const [key, text] of english) expect([key, /[가-힣]/.test(text)]).toEqual([key, false]);
  });

  it('agree in number', () => {
    expect(en.home.firing(1)).toBe('1 alert is firing');
    expect(en.home.firing(3)).toBe('3 alerts are firing');
    expect(ko.home.firing(3)).toBe('알림 3건이 울리고 있습니다');
  });
});
