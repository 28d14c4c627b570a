/** `tyto check healthy` and `ready`: one question to a server. */
import { errorMessage, TytoError } from '@tyto/base';
import { print } from '../commands.ts';

const TIMEOUT_MS = 10_000;

/** Resolves to the exit code. Rejects with TytoError where the server says no, or nothing. */
export async function checkServer(url: string, path: string): Promise<number> {
  const address = (/^https?:\/\//.test(url) ? url : `http://${url}`).replace(/\/$/, '') + path;
  let answer: Response;
  try {
    answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new TytoError('unavailable', `${address}: ${errorMessage(reason)}`, { cause: error });
  }
  const text = (await answer.text()).trim();
  if (!answer.ok)
    throw new TytoError('unavailable', `${address}: status ${answer.status}: ${text}`);
  print(text);
  return 0;
}
