/**
 * Sending through crashes, failing receivers and damaged files. A crash is a start on a copy of
 * what is on the disk at some moment, with the receiver as it is.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import {
  type Answer,
  type Bench,
  committed,
  FakeReceiver,
  labelsOf,
  pendingOf,
  removeBenches,
  startBench,
  until,
} from './testing/bench.ts';

const SEED = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 1_000_000);
const RUNS = 12;
const SERIES = 12;
const NOW = Date.now() - 3600_000;

afterEach(removeBenches);

/** A small generator of numbers from 0 to below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Sent {
  readonly wanted: Record<string, string[]>;
  bench: Bench;
}

async function commitSome(sent: Sent, random: () => number, time: { now: number }): Promise<void> {
  const count = 1 + Math.floor(random() * 30);
  for (let i = 0; i < count; i++) {
    time.now += 1 + Math.floor(random() * 20);
    const samples: (readonly [number, number, number])[] = [];
    for (let ref = 0; ref < SERIES; ref++) {
      if (random() < 0.6) samples.push([ref, time.now, Math.round(random() * 1e6) / 7]);
    }
    await sent.bench.forwarder.committed(committed(samples), labelsOf);
    for (const [ref, timestampMs, value] of samples) {
      const key = labelsOf(ref).with('cluster', 'here').toString();
      sent.wanted[key] ??= [];
      sent.wanted[key].push(`${timestampMs} ${value}`);
    }
  }
}

/** A process that dies and one that starts on its files. */
async function crash(sent: Sent, receiver: FakeReceiver, bytesMax: number): Promise<void> {
  const dead = sent.bench;
  sent.bench = await startBench(receiver, undefined, {
    from: dead.directory,
    queueBytesMax: bytesMax,
  });
}

for (let run = 0; run < RUNS; run++) {
  const seed = SEED + run;
  it(`loses nothing and repeats nothing: TYTO_FUZZ_SEED=${seed}`, async () => {
    const random = numbers(seed);
    const time = { now: NOW };
    let receiver = new FakeReceiver();
    const rate = random();
    const answers: Answer[] = ['broken', 'unheard', 503, 429, 204, 204];
    const answer = () => (random() < rate ? answers[Math.floor(random() * answers.length)] : 204);
    receiver.answer = answer;
    const sent: Sent = { wanted: {}, bench: await startBench(receiver) };
    for (let step = 0; step < 6; step++) {
      await commitSome(sent, random, time);
      await new Promise((resolve) => setTimeout(resolve, random() * 30));
      if (random() < 0.5) {
        // The dead one's requests no longer arrive; what arrived stays.
        const { store } = receiver;
        const dead = receiver;
        dead.answer = () => 'broken';
        receiver = Object.assign(new FakeReceiver(store), { answer });
        await dead.idle();
        await crash(sent, receiver, 1e9);
      }
    }
    receiver.answer = () => 204;
    await until('all is sent', () => pendingOf(sent.bench.forwarder) === 0);
    expect(await receiver.samples()).toEqual(sent.wanted);
    await sent.bench.forwarder.close();
  });

  it(`invents nothing out of damaged files: TYTO_FUZZ_SEED=${seed}`, async () => {
    const random = numbers(seed);
    const receiver = new FakeReceiver();
    receiver.answer = () => 503;
    const sent: Sent = { wanted: {}, bench: await startBench(receiver) };
    await commitSome(sent, random, { now: NOW });
    damage(sent.bench.directory, random);
    await crash(sent, receiver, 1e9);
    receiver.answer = () => 204;
    const time = { now: NOW + 1e6 };
    const { wanted } = sent;
    const later: Sent = { ...sent, wanted: {} };
    await commitSome(later, random, time);
    await until('the rest is sent', () => pendingOf(sent.bench.forwarder) === 0);
    for (const [key, samples] of Object.entries(await receiver.samples())) {
      const all = [...(wanted[key] ?? []), ...(later.wanted[key] ?? [])];
      expect(all).toEqual(expect.arrayContaining(samples));
      // What came after the damage is whole.
      const newer = later.wanted[key] ?? [];
      expect(samples.slice(samples.length - newer.length)).toEqual(newer);
    }
    await sent.bench.forwarder.close();
  });
}

function damage(directory: string, random: () => number): void {
  for (const key of readdirSync(directory)) {
    for (const name of readdirSync(join(directory, key))) {
      const path = join(directory, key, name);
      const bytes = readFileSync(path);
      if (bytes.length === 0) continue;
      const at = Math.floor(random() * bytes.length);
      if (random() < 0.3) writeFileSync(path, bytes.subarray(0, at));
      else {
        bytes[at] ^= 1 + Math.floor(random() * 255);
        writeFileSync(path, bytes);
      }
    }
  }
}
