/** CRC-32C (Castagnoli), the checksum of all of Prometheus' files; four bytes at a time. */

const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();

/** The checksum of bytes [start, end); `seed` is the checksum of what came before. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  const [first, second, third, fourth] = TABLES;
  let crc = ~seed;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc =
      fourth[crc & 0xff] ^
      third[(crc >>> 8) & 0xff] ^
      second[(crc >>> 16) & 0xff] ^
      first[crc >>> 24];
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ first[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

function makeTables(): readonly Int32Array[] {
  const tables = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[0][i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let k = 1; k < 4; k++) {
      const before = tables[k - 1][i];
      tables[k][i] = (before >>> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
