/**
 * Typed arrays that grow. Where the system lets address space be reserved, they grow in place and
 * memory is taken page by page as it is touched; elsewhere they are copied. They lie in shared
 * memory, so that other threads can read them.
 */

type ColumnArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer, offset: number, length: number): T;
}

/** TypeScript's ES2022 library does not know buffers that grow. */
interface GrowableBuffer extends SharedArrayBuffer {
  readonly maxByteLength: number;
  grow(bytes: number): void;
}
type GrowableConstructor = new (
  bytes: number,
  options: { readonly maxByteLength: number },
) => GrowableBuffer;

const PAGE_BYTES = 4096;
/** The first reservation; a column that outgrows it is copied into a larger one. */
const RESERVED_BYTES = 256 * 1024 * 1024;
/** The same where there is little address space. */
const RESERVED_BYTES_SHORT = 1024 * 1024;
/** What V8 can address in one buffer. */
const BUFFER_BYTES_MAX = 2 ** 32;

export class Column<T extends ColumnArray> {
  /** The elements; replaced by `reserve`, so not to be kept. */
  view: T;
  readonly #type: ArrayType<T>;
  #buffer: GrowableBuffer;
  #reserved: number;

  constructor(type: ArrayType<T>) {
    this.#type = type;
    this.#buffer = firstBuffer();
    this.#reserved = this.#buffer.maxByteLength;
    this.view = new type(this.#buffer, 0, 0);
  }

  get bytes(): number {
    return this.view.byteLength;
  }

  /** Makes room for `length` elements; new ones are 0. Throws RangeError past 4 GB. */
  reserve(length: number): void {
    if (length <= this.view.length) return;
    const needed = length * this.#type.BYTES_PER_ELEMENT;
    const ahead = Math.max(needed, Math.min(BUFFER_BYTES_MAX, this.view.byteLength * 1.125));
    const bytes = Math.min(BUFFER_BYTES_MAX, Math.ceil(ahead / PAGE_BYTES) * PAGE_BYTES);
    if (bytes > this.#reserved) this.#move(bytes);
    else this.#buffer.grow(bytes);
    const count = Math.floor(bytes / this.#type.BYTES_PER_ELEMENT);
    this.view = new this.#type(this.#buffer, 0, count);
  }

  #move(bytes: number): void {
    const old = new Uint8Array(this.#buffer, 0, this.view.byteLength);
    this.#reserved = Math.min(BUFFER_BYTES_MAX, Math.max(bytes, this.#reserved * 4));
    this.#buffer = reserveBuffer(this.#reserved);
    this.#buffer.grow(bytes);
    new Uint8Array(this.#buffer, 0, old.length).set(old);
  }
}

/** Where address space is short, as under `ulimit -v`, less is reserved and more is copied. */
function firstBuffer(): GrowableBuffer {
  try {
    return reserveBuffer(RESERVED_BYTES);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return reserveBuffer(RESERVED_BYTES_SHORT);
  }
}

function reserveBuffer(bytes: number): GrowableBuffer {
  return new (SharedArrayBuffer as unknown as GrowableConstructor)(0, { maxByteLength: bytes });
}
