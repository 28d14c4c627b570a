import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { decodePushed, encodePushed, groupingKey, PushGateway } from '@tyto/collect';
import { ENTRY_END, ENTRY_HISTOGRAM, ENTRY_SAMPLE, FamilyParser, ProtobufWriter } from '@tyto/wire';

let clock: ManualClock;
let gateway: PushGateway;

beforeEach(() => {
  clock = new ManualClock(5000);
  gateway = new PushGateway(clock);
});

const put = (path: string, text: string) =>
  gateway.push(groupingKey(path), Buffer.from(text), 'text', true);
const post = (path: string, text: string) =>
  gateway.push(groupingKey(path), Buffer.from(text), 'text', false);

/** All samples of the exposition, sorted; without those about the pushes unless asked for. */
function samples(withTimes = false): string[] {
  const parser = new FamilyParser({
    readsNative: true,
    keepsClassic: true,
    convertsClassic: false,
  });
  const lines: string[] = [];
  parser.start(gateway.exposition());
  for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
    if (entry === ENTRY_SAMPLE) lines.push(`${parser.labels()} ${parser.value}`);
    if (entry === ENTRY_HISTOGRAM) lines.push(`${parser.labels()} native`);
  }
  return lines.filter((line) => withTimes || !line.startsWith('push_')).sort();
}

describe('the path of a push', () => {
  it.each<[string, Record<string, string>]>([
    ['job/a', { job: 'a' }],
    ['job/a/instance/b', { job: 'a', instance: 'b' }],
    ['job/a%20b/path/x%2Fy', { job: 'a b', path: 'x/y' }],
    [
      'job@base64/L3Zhci90bXA/instance@base64/L3Zhci90bXA=',
      { job: '/var/tmp', instance: '/var/tmp' },
    ],
    ['job/a/empty@base64/=', { job: 'a', empty: '' }],
    ['instance/b/job/a', { job: 'a', instance: 'b' }],
  ])('%s', (path, expected) => {
    expect(Object.fromEntries(groupingKey(path))).toEqual(expected);
  });

  it.each([
    ['job', 'odd number of components'],
    ['job/a/instance', 'odd number of components'],
    ['job/', 'job name is required'],
    ['instance/b', 'job name is required'],
    ['job/a/__name__/b', 'improper label name "__name__"'],
    ['job/a/a-b/b', 'improper label name "a-b"'],
    ['job/a/job/b', 'the label job is there twice'],
    ['job@base64/!!', 'invalid base64 encoding'],
    ['job@base64/_w', 'invalid base64 encoding'],
    ['job/%zz', 'malformed URL component'],
  ])('%s is refused', (path, message) => {
    expect(() => groupingKey(path)).toThrow(message);
  });
});

describe('a push', () => {
  it('has the labels of its group, which win', () => {
    put('job/a/instance/b', '# TYPE c counter\nc{job="other",x="y"} 3\nplain 1\n');
    expect(samples()).toEqual([
      'c{instance="b", job="a", x="y"} 3',
      'plain{instance="b", job="a"} 1',
    ]);
  });

  it('by PUT replaces its group, by POST the families of the same name, and neither others', () => {
    put('job/a', 'x 1\ny 2\n');
    put('job/b', 'x 3\n');
    post('job/a', 'y 4\nz 5\n');
    expect(samples()).toEqual(['x{job="a"} 1', 'x{job="b"} 3', 'y{job="a"} 4', 'z{job="a"} 5']);
    put('job/a', 'w 6\n');
    expect(samples()).toEqual(['w{job="a"} 6', 'x{job="b"} 3']);
    gateway.delete(groupingKey('job/a'));
    expect(samples(true)).toEqual([
      'push_failure_time_seconds{job="b"} 0',
      'push_time_seconds{job="b"} 5',
      'x{job="b"} 3',
    ]);
    gateway.wipe();
    expect(samples(true)).toEqual([]);
  });

  it('keeps histograms and summaries as they are, native ones too', () => {
    put(
      'job/a',
      '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4.5\nh_count 3\n' +
        '# TYPE s summary\ns{quantile="0.5"} 2\ns_sum 7\ns_count 3\n',
    );
    expect(samples()).toEqual([
      'h_bucket{job="a", le="+Inf"} 3',
      'h_bucket{job="a", le="1.0"} 2',
      'h_count{job="a"} 3',
      'h_sum{job="a"} 4.5',
      's_count{job="a"} 3',
      's_sum{job="a"} 7',
      's{job="a", quantile="0.5"} 2',
    ]);
    const writer = new ProtobufWriter();
    writer.string(1, 'n');
    writer.uint32(3, 4);
    const metric = writer.begin(4);
    const histogram = writer.begin(7);
    writer.int64(1, 3);
    writer.sint32(5, 2);
    const span = writer.begin(12);
    writer.sint32(1, 4);
    writer.uint32(2, 1);
    writer.end(span);
    writer.sint64s(13, [3]);
    writer.end(histogram);
    writer.end(metric);
    const body = Uint8Array.of(writer.length, ...writer.finish());
    gateway.push(groupingKey('job/a'), body, 'protobuf', true);
    expect(samples()).toEqual(['n{job="a"} native']);
  });

  it('that is inconsistent changes nothing but the time of its failure', async () => {
    put('job/a', '# TYPE x counter\nx 1\n');
    await clock.advance(1000);
    for (const [path, text, message] of [
      ['job/a', 'x{a="b"} 1\nx{a="b"} 2\n', 'is there twice'],
      ['job/a', 'x{job="1"} 1\nx{job="2"} 2\n', 'is there twice under its group'],
      ['job/b', '# TYPE x gauge\nx 1\n', 'of type gauge, but in group {job="a"} of type counter'],
      ['job/a/b/c', '# TYPE x counter\nx 1\n', undefined],
      ['job/a', '# TYPE x counter\nx{b="c"} 1\n', 'is in another group already'],
      ['job/a/le/1', '# TYPE h histogram\nh_count 1\n', 'duplicated label le'],
      ['job/a', '# TYPE h histogram\nh_count{le="1"} 1\n', 'duplicated label le'],
      ['job/a', 'x 1 1234\n', 'has a timestamp'],
      ['job/a', 'x one\n', 'line 1'],
    ] as const) {
      if (message === undefined) put(path, text);
      else expect(() => put(path, text), text).toThrow(message);
    }
    expect(samples()).toEqual(['x{b="c", job="a"} 1', 'x{job="a"} 1']);
    expect(samples(true)).toContain('push_failure_time_seconds{job="a"} 6');
    expect(samples(true)).toContain('push_time_seconds{job="a"} 5');
    expect(gateway.groups()[0].isLastSuccessful).toBe(false);
  });
});

it('what was saved is restored, and damage is seen', () => {
  put('job/a/instance@base64/=', '# HELP c Help.\n# TYPE c counter\nc{x="y"} 3\n');
  put('job/ä', 'nan NaN\ninf -Inf\n');
  const file = encodePushed(gateway.save());
  const before = samples(true);
  gateway = new PushGateway(clock);
  gateway.restore(decodePushed(file));
  expect(samples(true)).toEqual(before);
  expect(gateway.groups()[0].families[0].family.help).toBe('Help.');
  expect(() => decodePushed(file.subarray(0, file.length - 1))).toThrow('is damaged');
  expect(() => decodePushed(new Uint8Array(0))).toThrow('is damaged');
});
