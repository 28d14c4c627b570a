/** Go templates (text/template and html/template) and the functions that Prometheus' tools add. */
export type { Node as TemplateNode, Operand, Pipe, TemplateSet } from './ast.ts';
export { builtins } from './builtins.ts';
export { executeTemplate, fail, type TemplateFunction, type TemplateFunctions } from './execute.ts';
export { formatTime, isTimeZone } from './goTime.ts';
export { escapeJson } from './htmlContext.ts';
export {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  toDuration,
  toTime,
} from './humanize.ts';
export { TemplateError } from './lexer.ts';
export { logFunctions } from './logFunctions.ts';
export { parseTime } from './parseTime.ts';
export { parseTemplate } from './parser.ts';
export { stringFunctions, textOf } from './stringFunctions.ts';
export {
  GoDuration,
  GoInt,
  GoStruct,
  GoTime,
  keyValues,
  print,
  printFloat,
  SafeHtml,
  SafeUrl,
  toJson,
  type Value,
  ZERO_TIME_MS,
} from './values.ts';
