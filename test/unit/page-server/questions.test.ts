/** Questions to the controller: limits of time, size and number, so that neither side is kept busy by one browser. */
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../lab/wait.ts';
import { ask } from '../../../src/page-server/watch-socket.ts';
import { type PageProcess, removeFolders, startPage, temporaryFolder } from '../../support/page-process.ts';

afterAll(removeFolders);

const path = join(temporaryFolder(), 'watch.sock');
const waiting: ServerResponse[] = [];
const server = createServer(({ url }, response) => {
  if (url?.startsWith('/v1/keys')) waiting.push(response);
  else if (url === '/slow') response.write('{');
  else if (url === '/endless') response.end('x'.repeat(1_001));
  else if (url === '/cut')
    response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
  else response.end('{}');
});

let page: PageProcess;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  page = await startPage({ watchSocket: path });
});
afterAll(async () => {
  await page.close();
  server.close();
  server.closeAllConnections();
});

test.each([
  ['that does not begin', '/v1/keys', 200, /does not answer \(no answer in 0\.2 s\)/],
  ['that does not end', '/slow', 200, /does not answer \(no answer in 0\.2 s\)/],
  ['that is too long', '/endless', 60_000, /does not answer \(its answer has more than/],
  ['that is cut', '/cut', 60_000, /has stopped, or starts again/],
])('an answer %s is one sentence', async (_, url, time, sentence) => {
  const answer = ask(path, url, { time, size: 1_000 });
  await expect(answer).rejects.toThrow(sentence);
  await expect(answer).rejects.toMatchObject({ name: 'UserError' });
});

test('more than eight at once are rejected, and the others are answered', async () => {
  waiting.length = 0;
  const headers = { cookie: await page.logIn() };
  const eight = Array.from({ length: 8 }, (_, index) => page.call(`/api/keys?${index}`, { headers }));
  await waitFor(() => waiting.length === 8, { what: 'eight questions' });
  const ninth = await page.call('/api/status', { headers });
  expect(ninth.status).toBe(503);
  expect(ninth.body).toContain('8 questions are being answered, which is the most at once; ask again');
  for (const response of waiting) response.end('{"keys":[]}');
  expect((await Promise.all(eight)).map(({ body }) => body)).toEqual(Array(8).fill('{"keys":[]}'));
  expect((await page.call('/api/status', { headers })).status).toBe(200);
});
