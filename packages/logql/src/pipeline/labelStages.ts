/** line_format, label_format, drop and keep. */
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import type { LabelChoice, LabelFormat } from '@tyto/syntax';
import type { Stage } from './stage.ts';
import { compileTemplate, type EntryTemplate } from './templates.ts';
import { ERROR, ERROR_DETAILS, PARSED, PRESERVE_ERROR, type WorkingEntry } from './workingEntry.ts';

const TEMPLATE_ERROR = 'TemplateFormatErr';

/** A stage, and the labels that it asks for; undefined where it may be any. */
export interface AskingStage {
  readonly stage: Stage;
  readonly fields: readonly string[] | undefined;
}

export function lineFormatStage(template: string, clock: Clock): AskingStage {
  const compiled = compileTemplate(template, 'line template', clock);
  return {
    fields: compiled.fields,
    stage: (entry) => {
      const line = expanded(compiled, entry, entry.toMap());
      if (line !== undefined) entry.line = line;
      return true;
    },
  };
}

function expanded(
  template: EntryTemplate,
  entry: WorkingEntry,
  labels: ReadonlyMap<string, string>,
): string | undefined {
  try {
    return template.run(entry, labels);
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    entry.fail(TEMPLATE_ERROR, errorMessage(error));
    return undefined;
  }
}

export function labelFormatStage(formats: readonly LabelFormat[], clock: Clock): AskingStage {
  const steps = formats.map(({ label, from }) =>
    'label' in from
      ? { label, source: from.label, template: undefined }
      : {
          label,
          source: '',
          template: compileTemplate(from.template, `template for label '${label}'`, clock),
        },
  );
  const asked = steps.map(({ source, template }) =>
    template === undefined ? [source] : template.fields,
  );
  const all = asked.some((fields) => fields === undefined);
  return {
    fields: all ? undefined : asked.flatMap((fields) => fields ?? []),
    stage: (entry) => {
      // Templates of one stage see the labels as they were before it.
      let labels: ReadonlyMap<string, string> | undefined;
      for (const { label, source, template } of steps) {
        if (template === undefined) {
          rename(entry, source, label);
          continue;
        }
        labels ??= entry.toMap();
        const value = expanded(template, entry, labels);
        if (value !== undefined) entry.set(PARSED, label, value);
      }
      return true;
    },
  };
}

function rename(entry: WorkingEntry, from: string, to: string): void {
  const value = entry.get(from);
  if (value === undefined) return;
  entry.set(entry.kindOf(from), to, value);
  entry.delete(from);
}

export function dropStage(labels: readonly LabelChoice[]): Stage {
  return (entry) => {
    for (const { name, matcher } of labels) {
      if (matcher !== undefined && !matcher.matches(entry.value(name))) continue;
      if (name === ERROR) entry.error = '';
      else if (name === ERROR_DETAILS) entry.errorDetails = '';
      else entry.delete(name);
    }
    return true;
  };
}

export function keepStage(labels: readonly LabelChoice[]): Stage {
  return (entry) => {
    for (const [name, value] of entry.toMap()) {
      if (name === ERROR || name === ERROR_DETAILS || name === PRESERVE_ERROR) continue;
      const isKept = labels.some(
        (choice) => choice.name === name && (choice.matcher?.matches(value) ?? true),
      );
      if (!isKept) entry.delete(name);
    }
    return true;
  };
}
