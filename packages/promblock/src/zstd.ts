/** Frames of Zstandard (RFC 8878) as Prometheus packs its records: one frame that says its size. */
import { TytoError } from '@tyto/base';
import { decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;

/** Throws TytoError `bad_data` for what is no such frame, or says to be larger than `sizeMax`. */
export function decodeZstd(frame: Uint8Array, sizeMax: number): Uint8Array {
  const size = contentSize(frame);
  if (size > sizeMax) {
    throw new TytoError('bad_data', `zstd: ${size} bytes are said to be packed, over ${sizeMax}`);
  }
  // The memory is given, so that no frame can take more of it.
  const content = new Uint8Array(size);
  try {
    decompress(frame, content);
  } catch (error) {
    throw new TytoError('bad_data', 'zstd: the frame is damaged', { cause: error });
  }
  return content;
}

/** The field Frame_Content_Size (RFC 8878, section 3.1.1.1.4). */
function contentSize(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 6 || view.getUint32(0, true) !== MAGIC) {
    throw new TytoError('bad_data', 'zstd: these bytes are no frame');
  }
  const descriptor = frame[4];
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6];
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  if (sizeBytes === 0 || at + sizeBytes > frame.length) {
    throw new TytoError('bad_data', 'zstd: the frame does not say how much is packed');
  }
  if (sizeBytes === 1) return frame[at];
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  return sizeBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
