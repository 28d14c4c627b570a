/** regexp, pattern and decolorize. */
import { compileSearch } from '@tyto/base';
import { parsePattern, type PatternPart } from '@tyto/syntax';
import type { NeededLabels, Stage } from './stage.ts';
import type { WorkingEntry } from './workingEntry.ts';

function setParsed(entry: WorkingEntry, name: string, value: string, needed: NeededLabels): void {
  const label = entry.isTaken(name) ? `${name}_extracted` : name;
  if (needed === undefined || needed.has(label)) entry.setFound(label, value);
}

/** The named groups of a regular expression; lines that it does not fit stay as they are. */
export function regexpStage(pattern: string, needed: NeededLabels): Stage {
  const program = compileSearch(pattern);
  const groups = Object.entries(program.namedGroups());
  return (entry) => {
    const matcher = program.matcher(entry.line);
    if (!matcher.find()) return true;
    for (const [name, index] of groups) {
      setParsed(entry, name, matcher.group(index) ?? '', needed);
    }
    return true;
  };
}

/** The captures of `<ip> - <_> [<time>]`, as far as the line fits. */
export function patternStage(pattern: string, needed: NeededLabels): Stage {
  const parts = parsePattern(pattern) as readonly PatternPart[];
  return (entry) => {
    matchPattern(parts, entry, needed);
    return true;
  };
}

function matchPattern(
  parts: readonly PatternPart[],
  entry: WorkingEntry,
  needed: NeededLabels,
): void {
  const { line } = entry;
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if ('literal' in part) {
      // Only the first part gets here; the others follow captures, which look for them.
      if (!line.startsWith(part.literal)) return;
      at = part.literal.length;
      continue;
    }
    const next = parts[i + 1];
    const found = next !== undefined && 'literal' in next ? line.indexOf(next.literal, at) : -1;
    const end = found < 0 ? line.length : found;
    if (part.capture !== '' && line !== '') {
      setParsed(entry, part.capture, line.slice(at, end), needed);
    }
    if (found < 0 || next === undefined || !('literal' in next)) return;
    at = found + next.literal.length;
    i++;
  }
}

/** Escape sequences of terminals: a control character, then a title, or parameters and a letter. */
const ANSI = new RegExp(
  '[\\u001b\\u009b][[\\]()#;?]*(?:' +
    '(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\\u0007|' +
    '(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~])',
  'g',
);

export function decolorizeStage(): Stage {
  return (entry) => {
    const { line } = entry;
    if (line.includes('\u001b') || line.includes('\u009b')) entry.line = line.replace(ANSI, '');
    return true;
  };
}
