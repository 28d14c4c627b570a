/**
 * Walks the frames of a file of Tyto's log (docs/formats/log.md) and names the bytes that are no
 * record, as the replay at a start steps over them.
 */
import { crc32 } from 'node:zlib';
import type { ReportDamage } from '@tyto/promblock';

const MAGIC = /^TYTOLOG\d$/;
const MAGIC_BYTES = 8;
const MARKER = 0xc3545952;
/** Marker, length, checksum. */
const FRAME_BYTES = 12;

/**
 * The number of good records. A torn end is no damage: it is what a crash leaves, or what a running
 * Tyto writes just now, and was never acknowledged.
 */
export function checkTytoLog(file: string, bytes: Uint8Array, report: ReportDamage): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 0) return 0;
  const magic = Buffer.from(bytes.subarray(0, MAGIC_BYTES)).toString('latin1');
  if (!MAGIC.test(magic)) report({ file, offset: 0, what: 'it does not begin as a log' });
  let records = 0;
  let at = MAGIC_BYTES;
  while (at < bytes.length) {
    const end = recordEnd(bytes, view, at);
    if (end !== undefined) {
      records++;
      at = end;
      continue;
    }
    if (isTorn(bytes, view, at)) return records;
    const start = at;
    do at++;
    while (at < bytes.length && recordEnd(bytes, view, at) === undefined);
    report({ file, offset: start, what: `${at - start} bytes are no record` });
  }
  return records;
}

function recordEnd(bytes: Uint8Array, view: DataView, at: number): number | undefined {
  if (at + FRAME_BYTES > bytes.length || view.getUint32(at, true) !== MARKER) return undefined;
  const end = at + FRAME_BYTES + view.getUint32(at + 4, true);
  if (end > bytes.length) return undefined;
  return crc32(bytes.subarray(at + FRAME_BYTES, end)) === view.getUint32(at + 8, true)
    ? end
    : undefined;
}

/** Whether a record begins here that the file has not all bytes of. */
function isTorn(bytes: Uint8Array, view: DataView, at: number): boolean {
  if (at + FRAME_BYTES > bytes.length) return true;
  return (
    view.getUint32(at, true) === MARKER &&
    at + FRAME_BYTES + view.getUint32(at + 4, true) > bytes.length
  );
}
