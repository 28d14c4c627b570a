/** `tyto check healthy` and `ready`: one question to a server. */
import { ApiClient } from '../apiClient.ts';
import { print } from '../commands.ts';

const TIMEOUT_MS = 10_000;

/** Resolves to the exit code. Rejects with TytoError where the server says no, or nothing. */
export async function checkServer(
  url: string,
  httpConfigFile: string,
  path: string,
): Promise<number> {
  const api = await ApiClient.open({ url, httpConfigFile, headers: [] });
  try {
    print(await api.page(path, TIMEOUT_MS));
    return 0;
  } finally {
    api.close();
  }
}
