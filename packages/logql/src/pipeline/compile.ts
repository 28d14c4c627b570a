/**
 * A pipeline as one function per stage. Backwards through the stages it is known which labels are
 * asked for later, and parsers extract no others.
 */
import type { Clock } from '@tyto/base';
import type { LabelFilter, LogqlStage } from '@tyto/syntax';
import { jsonPathStage, jsonStage, unpackStage } from './jsonStages.ts';
import { labelFilterStage } from './labelFilters.ts';
import { dropStage, keepStage, labelFormatStage, lineFormatStage } from './labelStages.ts';
import { lineFilterStage } from './lineFilters.ts';
import { logfmtPathStage, logfmtStage } from './logfmt.ts';
import type { NeededLabels, Stage } from './stage.ts';
import { decolorizeStage, patternStage, regexpStage } from './textStages.ts';
import type { WorkingEntry } from './workingEntry.ts';

export interface CompiledPipeline {
  /** Runs all stages; false where the entry is left out. */
  readonly run: (entry: WorkingEntry) => boolean;
  /** Whether a single entry may take long. */
  readonly isCostly: boolean;
}

/**
 * `needed` are the labels that whoever asks wants in the end, undefined for all. Throws TytoError
 * `bad_data` for templates and addresses that do not parse.
 */
export function compilePipeline(
  stages: readonly LogqlStage[],
  needed: NeededLabels,
  clock: Clock,
): CompiledPipeline {
  const compiled: Stage[] = [];
  let wanted = needed;
  for (const stage of [...stages].reverse()) {
    const { run, asks } = compileStage(stage, wanted, clock);
    wanted = wanted === undefined || asks === undefined ? undefined : withAsked(wanted, asks);
    if (run !== undefined) compiled.unshift(run);
  }
  const isCostly = stages.some(({ kind }) => kind.endsWith('_format'));
  const [only] = compiled;
  if (compiled.length === 1) return { run: only, isCostly };
  return {
    isCostly,
    run: (entry) => {
      for (const stage of compiled) if (!stage(entry)) return false;
      return true;
    },
  };
}

function withAsked(wanted: ReadonlySet<string>, asks: readonly string[]): ReadonlySet<string> {
  return asks.length === 0 ? wanted : new Set([...wanted, ...asks]);
}

interface CompiledStage {
  /** Undefined where the stage has nothing to do. */
  readonly run: Stage | undefined;
  /** Labels that it asks for; undefined where that may be any. */
  readonly asks: readonly string[] | undefined;
}

function compileStage(stage: LogqlStage, needed: NeededLabels, clock: Clock): CompiledStage {
  // A parser of which nobody wants anything is not run, so it has no errors either.
  const parser = (make: () => Stage): CompiledStage => ({
    run: needed?.size === 0 ? undefined : make(),
    asks: [],
  });
  switch (stage.kind) {
    case 'line_filter':
      return { run: lineFilterStage(stage), asks: [] };
    case 'json':
      return parser(() =>
        stage.extractions.length === 0
          ? jsonStage(needed)
          : jsonPathStage(stage.extractions, needed),
      );
    case 'logfmt':
      return parser(() =>
        stage.extractions.length === 0
          ? logfmtStage(stage, needed)
          : logfmtPathStage(stage.extractions, stage.strict, needed),
      );
    case 'regexp':
      return parser(() => regexpStage(stage.pattern, needed));
    case 'pattern':
      return parser(() => patternStage(stage.pattern, needed));
    case 'unpack':
      // It changes the line, which a later stage may look at.
      return { run: unpackStage(needed), asks: [] };
    case 'decolorize':
      return { run: decolorizeStage(), asks: [] };
    case 'label_filter':
      return { run: labelFilterStage(stage.filter), asks: labelsOfFilter(stage.filter) };
    case 'line_format': {
      const { stage: run, fields } = lineFormatStage(stage.template, clock);
      return { run, asks: fields };
    }
    case 'label_format': {
      const { stage: run, fields } = labelFormatStage(stage.formats, clock);
      return { run, asks: fields };
    }
    case 'drop':
      return { run: dropStage(stage.labels), asks: stage.labels.map(({ name }) => name) };
    case 'keep':
      return { run: keepStage(stage.labels), asks: stage.labels.map(({ name }) => name) };
  }
}

export function labelsOfFilter(filter: LabelFilter): string[] {
  switch (filter.kind) {
    case 'string':
      return [filter.matcher.name];
    case 'and':
    case 'or':
      return [...labelsOfFilter(filter.left), ...labelsOfFilter(filter.right)];
    default:
      return [filter.label];
  }
}
