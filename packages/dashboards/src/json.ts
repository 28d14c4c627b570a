/** Reading JSON of which any part may be missing or of another shape: it is never refused. */

export type Json = Readonly<Record<string, unknown>>;

const NOTHING: Json = {};

export function recordOf(value: unknown): Json {
  return isRecord(value) ? value : NOTHING;
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function recordsOf(value: unknown): readonly Json[] {
  return listOf(value).filter(isRecord);
}

/** Numbers count as texts: versions differ in what they write. */
export function textOf(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : otherwise;
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((text) => typeof text === 'string');
}

/** Also of a text: forms of old versions wrote numbers so. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export function flagOf(value: unknown, otherwise = false): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}

/** A text that is one of some. */
export function oneOf<T extends string>(value: unknown, texts: readonly T[], otherwise: T): T {
  return texts.find((text) => text === value) ?? otherwise;
}
