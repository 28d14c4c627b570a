/** A chunk's sample count is a u16 on disk; more would also make reading one sample slower. */
export const CHUNK_SAMPLES_MAX = 65_535;
