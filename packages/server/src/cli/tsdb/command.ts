/** What the commands of `tyto tsdb` have in common. */
import type { Damage } from '@tyto/promblock';
import type { FlagDefinition, Flags } from '../flags.ts';
import type { MatcherSets } from './database.ts';
import type { Output } from './output.ts';

export interface Call {
  readonly flags: Flags;
  /** What is no flag, in order. */
  readonly words: readonly string[];
  readonly matcherSets: MatcherSets;
  readonly output: Output;
  report(damage: Damage): void;
}

export interface TsdbCommand {
  readonly usage: string;
  readonly help: string;
  readonly flags: readonly FlagDefinition[];
  readonly wordsMin: number;
  readonly wordsMax: number;
  readonly takesMatchers: boolean;
  run(call: Call): Promise<void>;
}
