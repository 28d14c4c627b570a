/** What the benchmark uses of the packages, as one file to bundle. */
export { silentLogger, systemClock } from '@tyto/base';
export { openColumnar } from '@tyto/columnar';
export { createMatcher, Labels } from '@tyto/model';
