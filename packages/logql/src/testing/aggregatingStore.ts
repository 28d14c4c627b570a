/**
 * A store that filters and aggregates, in the slowest and most obvious way: the yardstick of real
 * ones.
 */
import {
  Labels,
  type LogAggregate,
  type LogAggregated,
  type LogChunk,
  type LogEntry,
  type LogField,
  type LogFilter,
  type LogRead,
  type LogUnit,
  MemoryLogStore,
} from '@tyto/model';
import { parseBytes, parseGoDuration } from '@tyto/syntax';

interface Found {
  readonly stream: Labels;
  readonly entry: LogEntry;
}

export class AggregatingStore extends MemoryLogStore {
  /** How often it was asked, and answered. */
  aggregations = 0;

  /** Leaves out all that a filter refuses, as the best of stores would. */
  override async *read(request: LogRead): AsyncIterable<LogChunk> {
    for await (const chunk of super.read(request)) {
      const kept = foundOf(chunk).flatMap((found, i) =>
        request.filters.every((filter) => passes(filter, found)) ? [i] : [],
      );
      yield {
        streams: chunk.streams,
        streamOf: Uint32Array.from(kept, (i) => chunk.streamOf[i]),
        timestampsNs: BigInt64Array.from(kept, (i) => chunk.timestampsNs[i]),
        lines: kept.map((i) => chunk.lines[i]),
        metadata: kept.map((i) => chunk.metadata[i]),
      };
    }
  }

  async aggregate(request: LogAggregate): Promise<LogAggregated> {
    this.aggregations++;
    const { select, windows, of } = request;
    const passed: Found[] = [];
    for await (const chunk of this.read({ ...select, direction: 'forward', wanted: 1000 })) {
      for (const found of foundOf(chunk)) passed.push(found);
    }
    const unparsed = passed.filter((found) => !isParsed(request, found));
    const groups = new Map<string, { labels: Labels; found: (Found & { value: number })[] }>();
    for (const found of passed) {
      const value = sampleOf(request, found);
      if (value === undefined) continue;
      const labels = labelsOf(request, found);
      const group = groups.get(labels.key) ?? { labels, found: [] };
      group.found.push({ ...found, value });
      groups.set(labels.key, group);
    }
    const results = [...groups.values()].map(({ labels, found }) => {
      const values = Float64Array.from({ length: windows.count }, (_, i) => {
        const endNs = windows.firstEndNs + windows.stepNs * BigInt(i);
        const inside = found.filter(
          ({ entry: { timestampNs } }) =>
            timestampNs > endNs - windows.rangeNs && timestampNs <= endNs,
        );
        const numbers = inside.map(({ value }) => value);
        if (numbers.length === 0) return Number.NaN;
        if (of === 'min') return Math.min(...numbers);
        if (of === 'max') return Math.max(...numbers);
        return numbers.reduce((sum, number) => sum + number, 0);
      });
      return { labels, values };
    });
    const read = { entries: passed.length, bytes: 0 };
    return { groups: results, unparsed: unparsed.length, read };
  }
}

function foundOf({ lines, streams, streamOf, timestampsNs, metadata }: LogChunk): Found[] {
  return lines.map((line, i) => ({
    stream: streams[streamOf[i]],
    entry: { timestampNs: timestampsNs[i], line, metadata: metadata[i] },
  }));
}

function passes(filter: LogFilter, found: Found): boolean {
  if (filter.on === 'line') {
    if (filter.type === 'pattern') return true;
    const isMatch = filter.values.some((value) =>
      filter.type === 'contains'
        ? found.entry.line.includes(value)
        : new RegExp(value).test(found.entry.line),
    );
    return isMatch !== filter.negated;
  }
  const text = fieldOf(filter.places, found);
  if (filter.on === 'field') {
    const isMatch = filter.type.endsWith('~')
      ? new RegExp(`^(?:${filter.value})$`).test(text ?? '')
      : (text ?? '') === filter.value;
    return isMatch !== filter.type.startsWith('!');
  }
  if (text === undefined) return false;
  const number = numberOf(text, filter.unit);
  // What is no number passes and is told apart.
  if (number === undefined) return true;
  const order = number - filter.value;
  const { type } = filter;
  if (order === 0) return type === '==' || type === '>=' || type === '<=';
  return type === '!=' || (order > 0 ? type.startsWith('>') : type.startsWith('<'));
}

function fieldOf(places: readonly LogField[], { stream, entry }: Found): string | undefined {
  for (const place of places) {
    const text = textAt(place, stream, entry);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textAt(place: LogField, stream: Labels, entry: LogEntry): string | undefined {
  switch (place.from) {
    case 'label':
      return stream.get(place.name) || undefined;
    case 'metadata':
      return entry.metadata.get(place.name) || undefined;
    case 'logfmt': {
      const pair = entry.line.split(' ').find((part) => part.startsWith(`${place.key}=`));
      return pair?.slice(place.key.length + 1) || undefined;
    }
    case 'json': {
      let value = jsonOf(entry.line);
      for (const key of place.path) value = (value as Record<string, unknown> | undefined)?.[key];
      return value === undefined || value === null || typeof value === 'object'
        ? undefined
        : String(value);
    }
    case 'json_label':
      return textOfLabel(jsonOf(entry.line), '', place.name);
    case 'logfmt_label': {
      const pairs = entry.line.split(' ').map((part) => part.split('='));
      return pairs.find(([key]) => key.replace(/\W/g, '_') === place.name)?.[1] || undefined;
    }
  }
}

/** The first value whose keys, joined by underscores, are the name. */
function textOfLabel(value: unknown, found: string, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return found === name && value !== undefined && value !== null ? String(value) : undefined;
  }
  if (Array.isArray(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const own = key.trim().replace(/\W/gu, '_');
    const text = textOfLabel(inner, found === '' ? own : `${found}_${own}`, name);
    if (text !== undefined) return text;
  }
  return undefined;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function numberOf(text: string, unit: LogUnit): number | undefined {
  if (unit === 'bytes') return parseBytes(text);
  if (unit === 'number') return text === '' ? undefined : finite(Number(text));
  const nanoseconds = parseGoDuration(text);
  return nanoseconds === undefined ? undefined : nanoseconds / 1e9;
}

function finite(number: number): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}

function sampleOf({ of, value }: LogAggregate, found: Found): number | undefined {
  if (of === 'count') return 1;
  if (of === 'bytes') return new TextEncoder().encode(found.entry.line).length;
  const text = value === undefined ? undefined : fieldOf(value.places, found);
  return text === undefined || value === undefined ? undefined : numberOf(text, value.unit);
}

function isParsed({ parse, value, select }: LogAggregate, found: Found): boolean {
  if (parse === 'json' && typeof jsonOf(found.entry.line) !== 'object') return false;
  const numbers = select.filters.flatMap((filter) => (filter.on === 'number' ? [filter] : []));
  return [...numbers, ...(value === undefined ? [] : [value])].every(({ places, unit }) => {
    const text = fieldOf(places, found);
    return text === undefined || numberOf(text, unit) !== undefined;
  });
}

function labelsOf({ by }: LogAggregate, found: Found): Labels {
  if (by === 'entry') {
    const metadata = [...found.entry.metadata.entries()].map(([name, value]): [string, string] => [
      found.stream.has(name) ? `${name}_extracted` : name,
      value,
    ]);
    return Labels.fromEntries([...found.stream.entries(), ...metadata]);
  }
  return Labels.fromEntries(by.map(({ name, places }) => [name, fieldOf(places, found) ?? '']));
}
