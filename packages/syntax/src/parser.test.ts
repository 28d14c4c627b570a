import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatExpr, ParseError, parseExpr } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';

interface ParseCase {
  readonly query: string;
  readonly valid: boolean;
  readonly errors?: readonly { msg: string; start: number; end: number }[];
}

/** The reference data lies beside the repository; elsewhere these cases are skipped. */
function sharedFile(name: string): string | undefined {
  let directory = process.env.TYTO_SHARED ?? '';
  if (directory === '') {
    for (let at = process.cwd(); at !== dirname(at) && directory === ''; at = dirname(at)) {
      if (existsSync(join(at, 'shared', 'conformance'))) directory = join(at, 'shared');
    }
  }
  const path = join(directory, 'conformance', 'prometheus', 'extracted', name);
  return directory !== '' && existsSync(path) ? path : undefined;
}

function casesOf<T>(name: string): T[] {
  const path = sharedFile(name);
  return path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8')).cases;
}

function problemOf(query: string): ParseError | undefined {
  try {
    parseExpr(query);
    return undefined;
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

describe('the cases of Prometheus', () => {
  for (const { query, valid, errors } of casesOf<ParseCase>('promql_parse_cases.json')) {
    it(`${valid ? 'accepts' : 'refuses'} ${query}`, () => {
      const problem = problemOf(query);
      if (valid) {
        expect(problem?.message).toBeUndefined();
      } else {
        expect(problem?.reason).toBe(errors?.[0].msg);
        expect(problem?.span.start).toBe(errors?.[0].start);
      }
    });
  }

  for (const { in: text, out } of casesOf<{ in: string; out: string }>(
    'promql_printer_cases.json',
  )) {
    it(`prints ${text}`, () => {
      expect(formatExpr(parseExpr(text))).toBe(out);
    });
  }
});
