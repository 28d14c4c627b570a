/** For unit tests: runs a script over the memory store and throws what was wrong with it. */
import { MemoryMetricStore } from '@tyto/model';
import { runScript, type ScriptOptions } from './scriptRunner.ts';

export async function expectScript(text: string, options: ScriptOptions = {}): Promise<void> {
  const open = async () => ({ store: new MemoryMetricStore(), close: async () => {} });
  const outcomes = await runScript(text, open, options);
  if (outcomes.length === 0) throw new Error('the script has no eval');
  const failures = outcomes
    .filter(({ failure }) => failure !== undefined)
    .map(({ line, query, failure }) => `line ${line}: ${query}: ${failure}`);
  if (failures.length > 0) throw new Error(failures.join('\n'));
}
