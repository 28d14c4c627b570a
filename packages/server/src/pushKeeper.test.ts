import { existsSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '@tyto/base';
import { groupingKey, PushGateway } from '@tyto/collect';
import { PushKeeper } from './pushKeeper.ts';

let directory: string;
const clock = new ManualClock(1000);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-pushed-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function open() {
  const pushes = new PushGateway(clock);
  return { pushes, keeper: new PushKeeper(pushes, directory, clock, silentLogger) };
}

it('keeps what was pushed, and puts a damaged file aside', async () => {
  const first = open();
  await first.keeper.restore();
  first.pushes.push(groupingKey('job/a'), Buffer.from('x 1\n'), 'text', true);
  first.keeper.changed();
  await first.keeper.stop();
  const second = open();
  await second.keeper.restore();
  expect(second.pushes.groups()).toEqual(first.pushes.groups());
  truncateSync(join(directory, 'pushed/groups'), 30);
  const third = open();
  await third.keeper.restore();
  expect(third.pushes.size).toBe(0);
  expect(existsSync(join(directory, 'pushed/groups.damaged'))).toBe(true);
});
