/**
 * The entry of a reader thread; bundled into a file of its own. It answers tasks one after the
 * other, and its end closes its files.
 */
import { parentPort } from 'node:worker_threads';
import { ChunkFiles } from './chunkFiles.ts';
import type { ReaderTask } from './readerPool.ts';
import { Scanner } from './scanner.ts';
import { TaskReader } from './taskReader.ts';

const files = new ChunkFiles();
const reader = new TaskReader(files);
const scanner = new Scanner(files);

function answer(task: ReaderTask) {
  return 'request' in task ? scanner.scan(task) : reader.read(task);
}

parentPort?.on('message', (task: ReaderTask) => parentPort?.postMessage(answer(task)));
parentPort?.on('messageerror', (error: unknown) => {
  throw error;
});
parentPort?.postMessage('ready');
