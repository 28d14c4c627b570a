/**
 * The notation of patterns, `<ip> - <_> [<time>]`: captures between literals. A capture reaches to
 * the next literal.
 */

export type PatternPart =
  | { readonly literal: string }
  /** '' where the capture is unnamed. */
  | { readonly capture: string };

const CAPTURE = /<([A-Za-z_][A-Za-z0-9_]*)>/g;

function partsOf(pattern: string): PatternPart[] {
  const parts: PatternPart[] = [];
  let at = 0;
  for (const match of pattern.matchAll(CAPTURE)) {
    if (match.index > at) parts.push({ literal: pattern.slice(at, match.index) });
    parts.push({ capture: match[1] === '_' ? '' : match[1] });
    at = match.index + match[0].length;
  }
  if (at < pattern.length) parts.push({ literal: pattern.slice(at) });
  return parts;
}

/** The parts of a parser's pattern, or what is wrong with it. */
export function parsePattern(pattern: string): readonly PatternPart[] | string {
  const parts = partsOf(pattern);
  const names = parts.flatMap((part) => ('capture' in part && part.capture !== '' ? [part] : []));
  if (names.length === 0) return 'at least one capture is required';
  const seen = new Set<string>();
  for (const { capture } of names) {
    if (seen.has(capture)) return `duplicate capture name (${capture}): invalid expression`;
    seen.add(capture);
  }
  return consecutive(parts) ?? parts;
}

/** The parts of a line filter's pattern, whose captures have no names, or what is wrong. */
export function parseLinePattern(pattern: string): readonly PatternPart[] | string {
  const parts = partsOf(pattern);
  const named = parts.find((part) => 'capture' in part && part.capture !== '');
  if (named !== undefined) return 'named captures are not allowed';
  return consecutive(parts) ?? parts;
}

function consecutive(parts: readonly PatternPart[]): string | undefined {
  for (let i = 1; i < parts.length; i++) {
    const [before, part] = [parts[i - 1], parts[i]];
    if (!('capture' in before) || !('capture' in part)) continue;
    const shown = [before, part].map(({ capture }) => `<${capture || '_'}>`).join('');
    return `found consecutive capture '${shown}': invalid expression`;
  }
  return undefined;
}
