/**
 * The entry of a reader thread; bundled into a file of its own. It answers tasks one after the
 * other, and its end closes its files.
 */
import { parentPort } from 'node:worker_threads';
import type { ReadTask } from './readPlan.ts';
import { TaskReader } from './taskReader.ts';

const reader = new TaskReader();
parentPort?.on('message', (task: ReadTask) => parentPort?.postMessage(reader.read(task)));
parentPort?.on('messageerror', (error: unknown) => {
  throw error;
});
parentPort?.postMessage('ready');
