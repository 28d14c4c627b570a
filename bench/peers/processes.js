/**
 * What a server costs, seen from outside: processor time and memory of a process and all its
 * descendants, from /proc, and the bytes of a directory. Linux only.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Clock ticks a second in /proc/<pid>/stat: 100 on every Linux that this runs on. */
const TICKS_PER_SECOND = 100;
const PEAK_SAMPLE_MS = 100;
const IDLE_POLL_MS = 500;
/** A server is idle while it takes less than this share of one core. */
const IDLE_CORES = 0.02;

/**
 * @typedef {{ rss: number, anonymous: number }} Memory bytes that are resident
 * @typedef {{ rss: number, anonymous: number }} Peak bytes that were resident at most
 */

/** A file of /proc, or undefined where its process is gone. */
function readProc(path) {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The fields of /proc/<pid>/stat after the name, which may hold anything. */
function statFields(pid) {
  const text = readProc(`${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * A process and its descendants.
 * @param {number} root
 * @returns {number[]}
 */
function treeOf(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(name);
    if (fields === undefined) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]) ?? []));
  return tree;
}

/** Seconds that a process, its threads and its ended children have computed. */
export function processCpuSeconds(pid) {
  const fields = statFields(pid);
  if (fields === undefined) return 0;
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  return (user + system + childUser + childSystem) / TICKS_PER_SECOND;
}

function kilobytes(text, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '');
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Busy seconds of all processors since the machine started. */
export function machineCpuSeconds() {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

/** Watches one server from its start to its end. Whoever makes it calls `stop`. */
export class ProcessMeter {
  #root;
  #tree;
  #timer;
  #peakAnonymous = 0;

  /** @param {number} pid */
  constructor(pid) {
    this.#root = pid;
    this.#tree = [pid];
    let ticks = 0;
    this.#timer = setInterval(() => {
      if (ticks++ % 10 === 0) this.#tree = treeOf(this.#root);
      this.#notePeak();
    }, PEAK_SAMPLE_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** Seconds since the start of the server. */
  cpuSeconds() {
    this.#tree = treeOf(this.#root);
    return this.#tree.reduce((sum, pid) => sum + processCpuSeconds(pid), 0);
  }

  /** @returns {Memory} */
  memory() {
    this.#tree = treeOf(this.#root);
    const memory = { rss: 0, anonymous: 0 };
    for (const pid of this.#tree) {
      const text = readProc(`${pid}/smaps_rollup`);
      memory.rss += kilobytes(text, 'Rss');
      memory.anonymous += kilobytes(text, 'Anonymous');
    }
    return memory;
  }

  /**
   * Resident bytes: the kernel's own high-water mark; anonymous ones: as sampled.
   * @returns {Peak}
   */
  peak() {
    this.#notePeak();
    const rss = this.#tree.reduce(
      (sum, pid) => sum + kilobytes(readProc(`${pid}/status`), 'VmHWM'),
      0,
    );
    return { rss, anonymous: this.#peakAnonymous };
  }

  /**
   * Waits until the server has computed next to nothing for `quietMs`.
   * @param {number} quietMs
   * @param {number} timeoutMs
   * @returns {Promise<{ isIdle: boolean, workedMs: number, cpuSeconds: number }>} how long it
   *   worked on, to the poll, and its processor time at the end of that
   */
  async untilIdle(quietMs, timeoutMs) {
    const startMs = performance.now();
    let last = { atMs: startMs, cpu: this.cpuSeconds() };
    let quiet = last;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_POLL_MS));
      const now = { atMs: performance.now(), cpu: this.cpuSeconds() };
      // The counter has ticks of 10 ms: one tick in a poll is still quiet.
      const isBusy = now.cpu - last.cpu > (IDLE_CORES * (now.atMs - last.atMs)) / 1000 + 0.001;
      last = now;
      if (isBusy) quiet = now;
      const isIdle = now.atMs - quiet.atMs >= quietMs;
      if (isIdle || now.atMs - startMs > timeoutMs) {
        return { isIdle, workedMs: quiet.atMs - startMs, cpuSeconds: quiet.cpu };
      }
    }
  }

  #notePeak() {
    let anonymous = 0;
    for (const pid of this.#tree) anonymous += kilobytes(readProc(`${pid}/status`), 'RssAnon');
    this.#peakAnonymous = Math.max(this.#peakAnonymous, anonymous);
  }
}

/**
 * Bytes of all files below a directory, those below directories of these names apart.
 * @param {string} directory
 * @param {readonly string[]} [logNames]
 * @returns {{ all: number, withoutLog: number }}
 */
export function diskBytes(directory, logNames = []) {
  const sizes = { all: 0, withoutLog: 0 };
  const walk = (path, isLog) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        walk(child, isLog || logNames.includes(entry.name));
      } else if (entry.isFile()) {
        const { size } = statSync(child);
        sizes.all += size;
        if (!isLog) sizes.withoutLog += size;
      }
    }
  };
  walk(directory, false);
  return sizes;
}
