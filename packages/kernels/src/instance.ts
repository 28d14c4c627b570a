/** Instances of the compiled kernels: what they export, and the room in their memory. */
import { kernelsWasm } from '../build/kernelsWasm.ts';

export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  encodeChunk(
    timestamps: number,
    values: number,
    count: number,
    out: number,
    scratch: number,
  ): number;
  decodeChunk(
    source: number,
    length: number,
    timestamps: number,
    values: number,
    capacity: number,
  ): number;
  countStale(values: number, from: number, to: number): number;
  dropStale(timestamps: number, values: number, count: number): number;
  firstNotBefore(timestamps: number, from: number, to: number, timeMs: number): number;
  bounds(
    timestamps: number,
    count: number,
    startMs: number,
    stepMs: number,
    stepCount: number,
    rangeMs: number,
    froms: number,
    tos: number,
  ): void;
  findResets(values: number, count: number, resets: number): number;
  rateOf(
    timestamps: number,
    values: number,
    froms: number,
    tos: number,
    resets: number,
    resetCount: number,
    startMs: number,
    stepMs: number,
    stepCount: number,
    rangeMs: number,
    isCounter: number,
    isRate: number,
    out: number,
    present: number,
  ): void;
  lastOf(
    values: number,
    froms: number,
    tos: number,
    stepCount: number,
    out: number,
    present: number,
  ): void;
  firstOf(
    values: number,
    froms: number,
    tos: number,
    stepCount: number,
    out: number,
    present: number,
  ): void;
  countOf(
    froms: number,
    tos: number,
    stepCount: number,
    onlyOne: number,
    out: number,
    present: number,
  ): void;
  changesOf(
    values: number,
    count: number,
    froms: number,
    tos: number,
    stepCount: number,
    onlyFalls: number,
    totals: number,
    out: number,
    present: number,
  ): void;
  lastPairOf(
    timestamps: number,
    values: number,
    froms: number,
    tos: number,
    stepCount: number,
    isRate: number,
    out: number,
    present: number,
  ): void;
  sumOf(
    values: number,
    count: number,
    froms: number,
    tos: number,
    stepCount: number,
    isMean: number,
    blocks: number,
    out: number,
    present: number,
  ): void;
  extremeOf(
    values: number,
    count: number,
    froms: number,
    tos: number,
    stepCount: number,
    isMax: number,
    blocks: number,
    out: number,
    present: number,
  ): void;
  quantileOf(
    values: number,
    froms: number,
    tos: number,
    stepCount: number,
    quantile: number,
    sorted: number,
    spare: number,
    out: number,
    present: number,
  ): void;
  addToSums(
    column: number,
    present: number,
    stepCount: number,
    values: number,
    errors: number,
    counts: number,
  ): void;
  addToCounts(present: number, stepCount: number, counts: number): void;
  addToExtremes(
    column: number,
    present: number,
    stepCount: number,
    isMax: number,
    values: number,
    counts: number,
  ): void;
  setPowersOfTen(at: number): void;
  writePoints(timestamps: number, values: number, count: number, out: number): number;
  snappySize(source: number, length: number): number;
  snappyDecode(source: number, length: number, out: number, size: number): number;
  snappyEncode(source: number, length: number, out: number, table: number): number;
  setPowersOfFive(at: number, max: number): void;
  openExposition(end: number, bytes: number, starts: number, ends: number, next: number): void;
  matchLines(line: number, expected: number, entries: number, values: number, max: number): number;
  matchedEnd(): number;
  matchedNext(): number;
  openRequest(start: number, length: number, version: number, key: number): void;
  countSymbols(): number;
  readSymbols(table: number, buffer: number, referencesMax: number): void;
  readBatch(
    records: number,
    recordsMax: number,
    timestamps: number,
    values: number,
    samplesMax: number,
  ): number;
}

const PAGE_BYTES = 65_536;
/** Kernels read and write whole words, up to this far behind what they were given. */
export const SLACK_BYTES = 64;

let compiled: WebAssembly.Module | undefined;

/** A new instance with a memory of its own. */
export function instantiate(): KernelExports {
  compiled ??= compile();
  return new WebAssembly.Instance(compiled, {}).exports as unknown as KernelExports;
}

function compile(): WebAssembly.Module {
  const text = atob(kernelsWasm);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new WebAssembly.Module(bytes);
}

/** Grows the memory to at least `bytes`; says whether it did, which detaches all views of it. */
export function ensureMemory({ memory }: KernelExports, bytes: number): boolean {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return false;
  memory.grow(Math.ceil(missing / PAGE_BYTES));
  return true;
}

export function align(address: number): number {
  return (address + 15) & ~15;
}
