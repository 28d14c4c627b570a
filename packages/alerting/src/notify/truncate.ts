/** Texts cut to what receivers take. */

const MARK = '…';
const MARK_BYTES = 3;

/** At most `runesMax` characters; what was cut ends with an ellipsis where there is room. */
export function truncateRunes(text: string, runesMax: number): string {
  if (text.length <= runesMax) return text;
  const runes = [...text];
  if (runes.length <= runesMax) return text;
  if (runesMax <= 3) return runes.slice(0, runesMax).join('');
  return runes.slice(0, runesMax - 1).join('') + MARK;
}

/** At most `bytesMax` bytes of UTF-8, of which no character is half. */
export function truncateBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  if (bytesMax < MARK_BYTES) return '.'.repeat(bytesMax);
  let end = bytesMax - MARK_BYTES;
  // Bytes that go on with a character begin with the bits 10.
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8') + MARK;
}
