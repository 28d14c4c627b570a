// SipHash-1-3 with 128 bits of output: a keyed function whose collisions nobody can find who does
// not know the key. One round a word and three at the end, as hash tables of many languages use it.

/** The last hash: its two halves, little-endian when stored. */
export let hashLow: u64 = 0;
export let hashHigh: u64 = 0;

/** Hashes [start, end) under a key. May load, and ignores, up to 7 bytes behind the end. */
export function sipHash(key0: u64, key1: u64, start: usize, end: usize): void {
  let v0 = key0 ^ 0x736f6d6570736575;
  let v1 = key1 ^ 0x646f72616e646f6d ^ 0xee;
  let v2 = key0 ^ 0x6c7967656e657261;
  let v3 = key1 ^ 0x7465646279746573;
  const length = end - start;
  const wordsEnd = start + (length & ~7);
  let at = start;
  for (; at < wordsEnd; at += 8) {
    const word = load<u64>(at);
    v3 ^= word;
    v0 += v1; v2 += v3;
    v1 = rotl(v1, 13) ^ v0; v3 = rotl(v3, 16) ^ v2;
    v0 = rotl(v0, 32);
    v2 += v1; v0 += v3;
    v1 = rotl(v1, 17) ^ v2; v3 = rotl(v3, 21) ^ v0;
    v2 = rotl(v2, 32);
    v0 ^= word;
  }
  const left = <u64>(length & 7) << 3;
  const tail = left == 0 ? 0 : load<u64>(at) & (((<u64>1) << left) - 1);
  const last = ((<u64>length) << 56) | tail;
  v3 ^= last;
  v0 += v1; v2 += v3;
  v1 = rotl(v1, 13) ^ v0; v3 = rotl(v3, 16) ^ v2;
  v0 = rotl(v0, 32);
  v2 += v1; v0 += v3;
  v1 = rotl(v1, 17) ^ v2; v3 = rotl(v3, 21) ^ v0;
  v2 = rotl(v2, 32);
  v0 ^= last;
  v2 ^= 0xee;
  for (let half = 0; half < 2; half++) {
    for (let round = 0; round < 3; round++) {
      v0 += v1; v2 += v3;
      v1 = rotl(v1, 13) ^ v0; v3 = rotl(v3, 16) ^ v2;
      v0 = rotl(v0, 32);
      v2 += v1; v0 += v3;
      v1 = rotl(v1, 17) ^ v2; v3 = rotl(v3, 21) ^ v0;
      v2 = rotl(v2, 32);
    }
    if (half == 0) {
      hashLow = v0 ^ v1 ^ v2 ^ v3;
      v1 ^= 0xdd;
    }
  }
  hashHigh = v0 ^ v1 ^ v2 ^ v3;
}
