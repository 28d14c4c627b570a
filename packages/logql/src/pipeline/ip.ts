/** Addresses in texts: single ones, ranges `a-b`, and networks `a/n`, of IPv4 and IPv6. */
import { TytoError } from '@tyto/base';

interface Range {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const V4_RUN = /[0-9.]{7,}/g;
const V6_RUN = /[0-9a-fA-F:.]{2,}/g;

/** Whether a text has an address in the range. Throws TytoError `bad_data` for what is no range. */
export function ipMatcher(pattern: string): (text: string) => boolean {
  const { version, first, last } = parseRange(pattern);
  const isInside = (run: string) => {
    const address = version === 4 ? parseV4(run) : parseV6(run);
    return address !== undefined && address >= first && address <= last;
  };
  const runs = version === 4 ? V4_RUN : V6_RUN;
  return (text) => {
    runs.lastIndex = 0;
    for (let match = runs.exec(text); match !== null; match = runs.exec(text)) {
      if (isInside(match[0])) return true;
    }
    return false;
  };
}

function parseRange(pattern: string): Range {
  const single = parseAddress(pattern);
  if (single !== undefined) return { ...single, first: single.value, last: single.value };
  const [left, right, ...more] = pattern.split('-').map((part) => part.trim());
  const first = parseAddress(left);
  const last = right === undefined ? undefined : parseAddress(right);
  if (more.length === 0 && first !== undefined && last?.version === first.version) {
    return { version: first.version, first: first.value, last: last.value };
  }
  const network = /^([^/]+)\/(\d{1,3})$/.exec(pattern);
  const base = network === null ? undefined : parseAddress(network[1]);
  const bits = network === null ? 0 : Number(network[2]);
  if (base !== undefined && bits <= (base.version === 4 ? 32 : 128)) {
    const rest = BigInt((base.version === 4 ? 32 : 128) - bits);
    const start = (base.value >> rest) << rest;
    return { version: base.version, first: start, last: start + (1n << rest) - 1n };
  }
  throw new TytoError(
    'bad_data',
    `ip: invalid pattern: ${JSON.stringify(pattern.slice(0, 200))} is no address, range or network`,
  );
}

function parseAddress(text: string): { version: 4 | 6; value: bigint } | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, value: v4 };
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { version: 6, value: v6 };
}

function parseV4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = Number(match[i]);
    if (part > 255 || (match[i].length > 1 && match[i].startsWith('0'))) return undefined;
    value = value * 256 + part;
  }
  return BigInt(value);
}

function parseV6(text: string): bigint | undefined {
  if (text.length > 45 || !text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]);
  const tail = halves.length === 2 ? groupsOf(halves[1]) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const [index, part] of text.split(':').entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    // The last four bytes may be written as in IPv4.
    const v4 = index === text.split(':').length - 1 ? parseV4(part) : undefined;
    if (v4 === undefined) return undefined;
    groups.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
  }
  return groups;
}
