/** ULIDs, the names of Prometheus' blocks: 48 bits of time and 80 random bits in base 32. */

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;
export const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** `random` has at least 16 bytes. */
export function makeUlid(nowMs: number, random: Uint8Array): string {
  let time = '';
  let rest = nowMs;
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let name = time;
  for (let i = 0; i < RANDOM_CHARACTERS; i++) name += ALPHABET[random[i] & 31];
  return name;
}
