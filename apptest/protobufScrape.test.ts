/** Real exporters, scraped in protobuf and in text at once: both have the same series. */
import { expect, it } from 'vitest';
import {
  freePort,
  programPath,
  startProgram,
  startTyto,
  temporaryDirectory,
  waitFor,
  writeIn,
} from './harness.ts';

const prometheus = programPath('prometheus');
const exporter = programPath('prometheus-node-exporter');

/** Values that move between two scrapes, and series that count the scrapes themselves. */
const LABELS = '{job=~"text|proto", __name__!~"promhttp_.*|scrape_.*|go_gc_.*"}';

async function compare(address: string, isComplete: string): Promise<void> {
  const job = (name: string, protocol: string) =>
    `  - {job_name: ${name}, scrape_protocols: [${protocol}], ` +
    `static_configs: [{targets: ["${address}"]}]}\n`;
  const config =
    'global: {scrape_interval: 1s}\nscrape_configs:\n' +
    job('text', 'PrometheusText0.0.4') +
    job('proto', 'PrometheusProto');
  const tyto = await startTyto({ config });
  await waitFor('both jobs are up', async () => (await tyto.value('sum(up)')) === 2);
  for (const name of ['text', 'proto']) {
    await waitFor(
      `${name} is complete`,
      async () => (await tyto.query(`${isComplete}{job="${name}"}`)).length > 0,
    );
  }
  const seriesOf = async (name: string) => {
    const found = await tyto.query(LABELS.replace('text|proto', name));
    return found
      .map(({ metric }) => {
        const { job: _, ...labels }: Record<string, string> = metric;
        // Text has a bound as its target writes it, protobuf as a number.
        for (const bound of ['le', 'quantile']) {
          if (/^\d/.test(labels[bound] ?? '')) labels[bound] = String(Number(labels[bound]));
        }
        return JSON.stringify(Object.entries(labels).sort());
      })
      .sort();
  };
  // A series may appear between two scrapes.
  await waitFor('both have the same series', async () => {
    const [text, proto] = [await seriesOf('text'), await seriesOf('proto')];
    expect(text.length).toBeGreaterThan(100);
    expect(proto).toEqual(text);
    return true;
  });
  for (const answer of (await tyto.api('targets')).activeTargets) {
    expect(answer.lastError).toBe('');
  }
}

it.skipIf(prometheus === undefined)('Prometheus', async () => {
  const directory = temporaryDirectory();
  const port = await freePort();
  startProgram(String(prometheus), [
    `--config.file=${writeIn(directory, 'p.yml', 'global: {}\n')}`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await compare(`127.0.0.1:${port}`, 'prometheus_build_info');
});

it.skipIf(exporter === undefined)('node_exporter', async () => {
  const port = await freePort();
  startProgram(String(exporter), [`--web.listen-address=127.0.0.1:${port}`]);
  await compare(`127.0.0.1:${port}`, 'node_exporter_build_info');
});
