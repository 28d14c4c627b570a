/** Mistakes at a start: the process ends at once, and one message says where and what to do. */
import { describe, expect, it } from 'vitest';
import { freePort, type Run, run, runTyto, startTyto, temporaryDirectory } from './harness.ts';

const ENDED_MS_MAX = 5000;

interface Mistake {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The flags, of paths in the directory of the files. */
  readonly args?: readonly string[];
  /** All are parts of the message. */
  readonly words: readonly string[];
}

const MISTAKES: readonly Mistake[] = [
  {
    name: 'YAML that is none',
    files: { 'prometheus.yml': 'global:\n  scrape_interval: 5s\n scrape_timeout: 4s\n' },
    words: ['prometheus.yml:3:1: YAML: ', 'same column'],
  },
  {
    name: 'tabs in YAML',
    files: { 'prometheus.yml': 'global:\n\tscrape_interval: 5s\n' },
    words: ['prometheus.yml:2:1: YAML: Tabs are not allowed as indentation'],
  },
  {
    name: 'an unknown field',
    files: { 'prometheus.yml': 'global:\n  scrape_intervall: 5s\n' },
    words: [
      'prometheus.yml:2:3: ',
      'unknown field "scrape_intervall"; did you mean "scrape_interval"?',
    ],
  },
  {
    name: 'a list that is a mapping',
    files: { 'prometheus.yml': 'scrape_configs:\n  - job_name: a\n    static_configs: {a: b}\n' },
    words: ['prometheus.yml:3:21: expected a list'],
  },
  {
    name: 'a duration that is none',
    files: { 'prometheus.yml': 'global:\n  scrape_interval: 5 apples\n' },
    words: ['prometheus.yml:2:20: not a valid duration: "5 apples"; write for example 30s'],
  },
  {
    name: 'a rule whose expression is wrong',
    files: {
      'prometheus.yml': 'rule_files: [rules.yml]\n',
      'rules.yml':
        'groups:\n  - name: a\n    rules:\n      - alert: X\n        expr: sum(rate(a[5m)) > 1\n',
    },
    words: ['rules.yml:5:15: could not parse expression: 1:'],
  },
  {
    name: 'a regular expression that is none',
    files: {
      'prometheus.yml': `scrape_configs:
  - job_name: a
    relabel_configs:
      - source_labels: [__address__]
        regex: '(foo'
        target_label: x
`,
    },
    words: ['prometheus.yml:5:16: error parsing regexp: missing closing ): `(foo`'],
  },
  {
    name: 'two jobs of one name',
    files: { 'prometheus.yml': 'scrape_configs:\n  - job_name: a\n  - job_name: a\n' },
    words: ['prometheus.yml:3:5: found multiple scrape configs with job name "a"', ':2:5'],
  },
  {
    name: 'a timeout above its interval',
    files: { 'prometheus.yml': 'global: {scrape_interval: 5s, scrape_timeout: 10s}\n' },
    words: ['prometheus.yml:1:47: global scrape timeout greater than scrape interval'],
  },
  {
    name: 'a file that is not there',
    files: {},
    words: ['cannot read ', 'prometheus.yml: there is no such file'],
  },
  {
    name: 'a file that is a directory',
    files: { 'prometheus.yml/x': '' },
    words: ['cannot read ', 'prometheus.yml: it is a directory, not a file'],
  },
  {
    name: 'a file that is no text',
    files: { 'prometheus.yml': '\u0000\u0001\uFFFD' },
    words: ['prometheus.yml:1:'],
  },
  {
    name: 'a route to nobody',
    files: { 'alertmanager.yml': 'route: {receiver: a}\nreceivers: [{name: b}]\n' },
    args: ['--alertmanager.config.file=alertmanager.yml'],
    words: ['alertmanager.yml:1:19: undefined receiver "a" used in route'],
  },
  {
    name: 'a receiver without an address',
    files: {
      'alertmanager.yml':
        'route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: nowhere}]}]\n',
    },
    args: ['--alertmanager.config.file=alertmanager.yml'],
    words: ['alertmanager.yml:2:47: not a web address: "nowhere"; write for example https://'],
  },
  {
    name: 'a notification template that is wrong',
    files: {
      'alertmanager.yml': 'route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: [t.tmpl]\n',
      't.tmpl': '{{ define "x" }}\n{{ .Status | toUper }}{{ end }}\n',
    },
    args: ['--alertmanager.config.file=alertmanager.yml'],
    words: ['t.tmpl:2:14: function "toUper" not defined'],
  },
];

function expectRefusal({ code, stdout, stderr, elapsedMs }: Run, words: readonly string[]): void {
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(elapsedMs).toBeLessThan(ENDED_MS_MAX);
  expect(stderr).toMatch(/^tyto: /);
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr, 'no trace of our own code').not.toMatch(/^\s+at /m);
  expect(stderr.trimEnd().split('\n'), 'one message').toHaveLength(1);
}

async function startIn(directory: string, args: readonly string[]): Promise<Run> {
  const address = `--web.listen-address=127.0.0.1:${await freePort()}`;
  return runTyto(['start', address, '--log.level=error', ...args], directory);
}

describe('a start refuses', () => {
  it.concurrent.each(MISTAKES)('$name', async ({ files, args, words }) => {
    const directory = temporaryDirectory(files);
    const given = args ?? ['--config.file=prometheus.yml'];
    expectRefusal(await startIn(directory, given), words);
  });

  it('a rule file that is not there, with the place of its name', async () => {
    const directory = temporaryDirectory({ 'prometheus.yml': 'rule_files:\n  - none.yml\n' });
    const refused = await startIn(directory, ['--config.file=prometheus.yml']);
    expectRefusal(refused, ['prometheus.yml:2:5: ', 'none.yml', 'there is no such file']);
  });

  it('the same things that a check refuses', async () => {
    const { files, words } = MISTAKES[2];
    const directory = temporaryDirectory(files);
    expectRefusal(await runTyto(['check', 'config', 'prometheus.yml'], directory), words);
  });

  it('a file that may not be read', async () => {
    // Root may read every file; the memory of a process at address 0 nobody may.
    const refused = await startIn(temporaryDirectory(), ['--config.file=/proc/self/mem']);
    expectRefusal(refused, ['cannot read /proc/self/mem: ']);
  });

  it('a port that is taken, and names the flag for another', async () => {
    const tyto = await startTyto();
    const directory = temporaryDirectory();
    const address = `--web.listen-address=127.0.0.1:${tyto.port}`;
    const refused = await runTyto(['start', address, '--log.level=error'], directory);
    expectRefusal(refused, [`port ${tyto.port} on 127.0.0.1 is taken`, '--web.listen-address']);
  });

  it('a data directory in use, and names the process', async () => {
    const tyto = await startTyto();
    const path = `--storage.tsdb.path=${tyto.dataDirectory}`;
    const refused = await startIn(temporaryDirectory(), [path]);
    expectRefusal(refused, [`in use by process ${tyto.pid}`, '--storage.tsdb.path']);
    expect((await tyto.get('-/healthy')).status).toBe(200);
  });

  it('a data directory that is a file', async () => {
    const directory = temporaryDirectory({ data: 'x' });
    expectRefusal(await startIn(directory, []), ['is no directory', '--storage.tsdb.path']);
  });

  it('a data directory where none can be made', async () => {
    const refused = await startIn(temporaryDirectory(), ['--storage.tsdb.path=/proc/nowhere/data']);
    expectRefusal(refused, ['/proc/nowhere/data', '--storage.tsdb.path']);
  });

  it.each([
    ['start --confg.file=x', 'unknown flag --confg.file; did you mean --config.file?'],
    ['--storage.tsdb.pth=x', 'unknown flag --storage.tsdb.pth; did you mean --storage.tsdb.path?'],
    ['strat', 'unknown command "strat"; did you mean tyto start?'],
    ['check cnofig x', 'unknown command "cnofig"; did you mean config?'],
    ['start --config.file', '--config.file needs a value'],
    ['start extra', 'unexpected argument "extra"'],
    ['start --web.listen-address=here', 'is no address; write for example 127.0.0.1:9090'],
    ['start --storage.tsdb.retention.time=5x', 'is no duration; write for example'],
    ['start --log.level=loud', 'none of debug, info, warn, error'],
    ['start --web.external-url=here', 'is no web address'],
  ])('tyto %s', async (line, words) => {
    expectRefusal(await runTyto(line.split(' ')), [words]);
  });
});

describe('the command', () => {
  it('explains itself, with each flag and its default', async () => {
    const { code, stdout, stderr } = await runTyto(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage:');
    expect(stdout).toMatch(/--config\.file=<text>/);
    expect(stdout).toMatch(/--storage\.tsdb\.retention\.time=<duration>.*\(default 15d\)/);
    expect((await runTyto(['start', '--help'])).stdout).toBe(stdout);
  });

  it('is the same from the script that packages install', async () => {
    const { code, stdout } = await run(process.execPath, [
      'packages/server/bin/tyto.js',
      'version',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: (await runTyto(['--version'])).stdout });
  });

  it('tells its version', async () => {
    expect(await runTyto(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tyto \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });
});
