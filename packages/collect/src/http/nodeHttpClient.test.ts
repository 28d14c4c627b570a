/** What is sent over connections that were kept open. */
import { DEFAULT_HTTP_CLIENT, NodeHttpClient } from '@tyto/collect';
import { expect, it } from 'vitest';
import { requestOf, TestServers } from './testing.ts';

it('sends again what may be repeated when a connection that was kept open is dead', async () => {
  const servers = new TestServers();
  const client = new NodeHttpClient(DEFAULT_HTTP_CLIENT);
  let isDown = false;
  const url = await servers.raw((socket, count) => {
    if (isDown || count > 0) socket.resetAndDestroy();
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const post = (mayRepeat: boolean) =>
    client.post({ ...requestOf(url), body: Buffer.from('x'), mayRepeat });
  const reset = `Post "${url}": read: connection reset by peer`;
  expect((await post(true)).status).toBe(200);
  expect((await post(true)).status).toBe(200);
  expect(servers.connectionCount).toBe(2);
  await expect(post(false)).rejects.toThrow(reset);
  expect(servers.connectionCount).toBe(2);
  isDown = true;
  await expect(post(true)).rejects.toThrow(reset);
  expect(servers.connectionCount).toBe(3);
  client.close();
  await servers.close();
});
