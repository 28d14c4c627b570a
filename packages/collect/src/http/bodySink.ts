/** Where the pieces of a body go, whichever client they come from. */
import type { BodyBuffers } from './bodyBuffers.ts';

export interface BodySink {
  /**
   * Takes a piece, which is valid during the call. Throws TytoError to refuse the body. False when
   * nothing more is to be read before `resume` is called, once; what was read already still comes.
   */
  push(piece: Uint8Array, resume: () => void): boolean;
  /** All pieces are there: the body, decompressed. The caller gives it back to its buffers. */
  finish(): Promise<Uint8Array>;
  /** Nothing more comes, and nobody wants the body. */
  drop(): void;
}

export interface BodyLimits {
  /** Of the decompressed body. */
  readonly bytesMax: number;
  /** How long the body says to be; 0 where it says nothing. It may well be longer. */
  readonly announcedBytes: number;
  readonly buffers?: BodyBuffers | undefined;
  /** Sees the first HEAD_BYTES, or a little more, of a body that has them; throws to refuse it. */
  readonly inspect?: ((head: Uint8Array) => void) | undefined;
}
