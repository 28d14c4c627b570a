/** What stages are to each other. */
import type { WorkingEntry } from './workingEntry.ts';

/** Works on the entry; false where it is to be left out. */
export type Stage = (entry: WorkingEntry) => boolean;

/** The labels that anybody asks for later; undefined where that may be any. */
export type NeededLabels = ReadonlySet<string> | undefined;
