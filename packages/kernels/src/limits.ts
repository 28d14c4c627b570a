/** A chunk's sample count is a u16 on disk; more would also make reading one sample slower. */
export const CHUNK_SAMPLES_MAX = 65_535;

/** A kernel's memory never shrinks; one that grew beyond this is thrown away after its use. */
export const MEMORY_KEPT_BYTES = 48 * 1024 * 1024;

/** Symbols of a remote write 2.0 request; each costs 24 bytes while the request is read. */
export const SYMBOLS_MAX = 1_000_000;

/** References of one series of remote write 2.0, two a label; each costs 16 bytes, once. */
export const REFERENCES_MAX = 8192;

/** An exposition and what is expected in it; the kernel's memory grows to hold both. */
export const LINES_BYTES_MAX = 16 * 1024 * 1024;
