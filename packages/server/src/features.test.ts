import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, parseFeatures } from './features.ts';

describe('parseFeatures', () => {
  it('enables nothing by default', () => {
    const { features, notes } = parseFeatures('');
    expect(features).toEqual(DEFAULT_FEATURES);
    expect(notes).toEqual([]);
    expect(Object.values(features.syntax)).toEqual([false, false, false]);
    expect(features.searchApi).toBe(false);
  });

  it('enables what is named, with spaces and empty names forgiven', () => {
    const { features } = parseFeatures('promql-experimental-functions, search-api,,');
    expect(features.syntax).toEqual({
      functions: true,
      extendedSelectors: false,
      fillModifiers: false,
    });
    expect(features.searchApi).toBe(true);
  });

  it('says what is always on, what changes nothing, and what a name may have meant', () => {
    const { notes } = parseFeatures('exemplar-storage,old-ui,serch-api,xyzzy,search-api');
    expect(notes.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info --enable-feature=exemplar-storage: this is always on: storage.exemplars says how ' +
        'many are kept',
      'warn --enable-feature=old-ui changes nothing: Tyto has its own page',
      'warn --enable-feature=serch-api: there is no such feature; did you mean search-api?',
      'warn --enable-feature=xyzzy: there is no such feature; see docs/http-api.md',
      'info --enable-feature=search-api: enabled',
    ]);
  });
});
