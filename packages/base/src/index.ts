export { assert, must, unreachable } from './assert.ts';
export { copyBytes } from './bytes.ts';
export { type Clock, ManualClock, systemClock, type Timer } from './clock.ts';
export { formatDuration, parseDuration } from './duration.ts';
export {
  type ErrorKind,
  errorCode,
  errorMessage,
  formatPlace,
  type Place,
  TytoError,
} from './errors.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { getOrCreate } from './maps.ts';
export { nearestName } from './nearest.ts';
export { type AnchoredRegExp, compileAnchored, compileSearch } from './regexp.ts';
export * as yaml from './yaml.ts';
export { redactYaml } from './yamlRedact.ts';
export { formatYaml, parseYaml } from './yamlText.ts';
