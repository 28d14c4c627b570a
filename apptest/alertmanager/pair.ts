/** Debian's Alertmanager and Tyto with the same alertmanager.yml, to be asked the same. */
import { join } from 'node:path';
import { freePort, startProgram, startTyto, temporaryDirectory, waitFor } from '../harness.ts';

/** Their addresses, without a slash at the end. */
export interface Pair {
  readonly theirs: string;
  readonly ours: string;
}

export async function startPair(config: string): Promise<Pair> {
  const directory = temporaryDirectory({ 'alertmanager.yml': config });
  const port = await freePort();
  const theirs = `http://127.0.0.1:${port}`;
  startProgram(
    'prometheus-alertmanager',
    [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    directory,
  );
  const tyto = await startTyto({ config: 'scrape_configs: []\n', alertmanager: config });
  await waitFor('Alertmanager is ready', async () => (await fetch(`${theirs}/-/ready`)).ok);
  return { theirs, ours: tyto.baseUrl.replace(/\/$/, '') };
}
