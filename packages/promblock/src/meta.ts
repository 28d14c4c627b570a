/** A block's meta.json, version 1. */
import { damaged } from './damage.ts';
import { ULID } from './ulid.ts';

export interface PrometheusBlockMeta {
  readonly ulid: string;
  /** The block holds samples with minTimeMs <= t < maxTimeMs. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly sampleCount: number;
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly level: number;
  readonly isFromOutOfOrder: boolean;
}

interface MetaFile {
  readonly ulid?: unknown;
  readonly minTime?: unknown;
  readonly maxTime?: unknown;
  readonly version?: unknown;
  readonly stats?: Record<string, unknown>;
  readonly compaction?: { readonly level?: unknown; readonly hints?: unknown };
}

const OUT_OF_ORDER_HINT = 'from-out-of-order';

/** Throws TytoError `io` for a text that is no meta.json of version 1. */
export function parseMeta(text: string): PrometheusBlockMeta {
  let file: MetaFile;
  try {
    file = JSON.parse(text) as MetaFile;
  } catch {
    throw damaged('it is no JSON');
  }
  if (typeof file !== 'object' || file === null) throw damaged('it is no JSON object');
  const { ulid, minTime, maxTime, version, stats, compaction } = file;
  if (version !== 1) throw damaged(`version ${String(version)} is not known, only 1`);
  if (typeof minTime !== 'number' || typeof maxTime !== 'number') {
    throw damaged('minTime or maxTime is missing');
  }
  if (typeof ulid !== 'string' || !ULID.test(ulid)) throw damaged('its ulid is none');
  const hints = Array.isArray(compaction?.hints) ? compaction.hints : [];
  return {
    ulid,
    minTimeMs: minTime,
    maxTimeMs: maxTime,
    sampleCount: numberOr0(stats?.numSamples),
    seriesCount: numberOr0(stats?.numSeries),
    chunkCount: numberOr0(stats?.numChunks),
    level: numberOr0(compaction?.level),
    isFromOutOfOrder: hints.includes(OUT_OF_ORDER_HINT),
  };
}

export function formatMeta(meta: PrometheusBlockMeta): string {
  const { ulid, minTimeMs, maxTimeMs, sampleCount, seriesCount, chunkCount, level } = meta;
  const file = {
    ulid,
    minTime: minTimeMs,
    maxTime: maxTimeMs,
    stats: { numSamples: sampleCount, numSeries: seriesCount, numChunks: chunkCount },
    compaction: { level, sources: [ulid] },
    version: 1,
  };
  return `${JSON.stringify(file, null, '\t')}\n`;
}

function numberOr0(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
