/** What is told of a configuration once it has been read. */
import { formatPlace, type Logger, type yaml } from '@tyto/base';
import type { LoadedConfig } from './load.ts';

/** What only a start applies, of all that the section `storage` says. */
export function storageSettings({ prometheus }: LoadedConfig): string {
  const { path, retentionMs, retentionBytes, exemplarsMax } = prometheus.storage;
  return JSON.stringify([path, retentionMs, retentionBytes, exemplarsMax]);
}

export function logWarnings(warnings: readonly yaml.Problem[], logger: Logger): void {
  for (const { place, message } of warnings) logger.warn(message, { place: formatPlace(place) });
}
