/** The slow, obvious twin of Snappy's decoder: the format's description read aloud. For tests. */
import { TytoError } from '@tyto/base';

export function decodeSnappySlowly(block: Uint8Array, sizeMax: number): Uint8Array {
  const out: number[] = [];
  let at = 0;
  const byte = () => {
    if (at >= block.length) throw new TytoError('bad_data', 'the block is cut short');
    return block[at++];
  };
  const littleEndian = (bytes: number) => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += byte() * 2 ** (8 * i);
    return value;
  };
  let size = 0;
  for (let i = 0; ; i++) {
    const part = byte();
    size += (part & 0x7f) * 2 ** (7 * i);
    if (part < 0x80) break;
    if (i === 4) throw new TytoError('bad_data', 'the size has more than five bytes');
  }
  if (size > 0xffff_ffff) throw new TytoError('bad_data', 'the size has more than 32 bits');
  if (size > sizeMax) throw new TytoError('too_large', 'the block claims too much');
  while (at < block.length) {
    const tag = byte();
    const upper = tag >> 2;
    if ((tag & 3) === 0) {
      const length = (upper < 60 ? upper : littleEndian(upper - 59)) + 1;
      if (length > block.length - at) throw new TytoError('bad_data', 'a literal is cut short');
      for (let i = 0; i < length; i++) out.push(byte());
    } else {
      const isShort = (tag & 3) === 1;
      const length = isShort ? (upper & 7) + 4 : upper + 1;
      const offset = isShort ? ((tag >> 5) << 8) + byte() : littleEndian((tag & 3) === 2 ? 2 : 4);
      if (offset === 0 || offset > out.length) throw new TytoError('bad_data', 'a bad offset');
      for (let i = 0; i < length; i++) out.push(out[out.length - offset]);
    }
    if (out.length > size) throw new TytoError('bad_data', 'the block is longer than it claims');
  }
  if (out.length < size) throw new TytoError('bad_data', 'the block is shorter than it claims');
  return Uint8Array.from(out);
}
