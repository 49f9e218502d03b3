/** What browsers get of the live state: all of it, then what changes; slow readers, many tabs, a controller that goes and comes back. */
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../../lab/wait.ts';
import { EMPTY_STATE, type LiveState } from '../../../src/live/state.ts';
import { EventReader, type StreamEvent } from '../../../src/page-server/event-stream.ts';
import { type FakeWatchSocket, serveFakeWatchSocket } from '../../support/fake-watch-socket.ts';
import { type PageProcess, startPage } from '../../support/page-process.ts';

const withKeys = (keys: Readonly<Record<string, string>>): LiveState => ({
  ...EMPTY_STATE,
  keys: new Map(Object.entries(keys).map(([key, text]) => [key, { text }])),
});

let page: PageProcess;
let controller: FakeWatchSocket;
let cookie: string;
let tabs: Tab[] = [];
beforeEach(async () => {
  page = await startPage();
  controller = await serveFakeWatchSocket(page.watchSocket, withKeys({ db: 'a' }));
  cookie = await page.logIn();
});
afterEach(async () => {
  for (const tab of tabs) tab.close();
  tabs = [];
  await page.close();
  await controller.close();
});

interface Tab {
  readonly response: IncomingMessage;
  readonly events: readonly StreamEvent[];
  readonly text: string;
  close(): void;
}

async function openTab(headers: Readonly<Record<string, string>> = {}, at: PageProcess = page): Promise<Tab> {
  const response = await at.open('/live', { headers: { cookie, ...headers } });
  const reader = new EventReader(2 ** 24);
  const events: StreamEvent[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    events.push(...reader.read(part));
  });
  response.on('error', () => undefined);
  const tab: Tab = {
    ...{ response, events, close: () => response.destroy() },
    get text() {
      return text;
    },
  };
  tabs.push(tab);
  return tab;
}

const of = (tab: Tab, name: string): readonly StreamEvent[] =>
  tab.events.filter(({ event }) => event === name);
/** Up to the end of an event. */
const seen = (tab: Tab, words: string) =>
  waitFor(() => tab.text.includes(words) && tab.text.endsWith('\n\n'), { what: words });
const lastId = (tab: Tab): string => /.*^id: (\S+)$/ms.exec(tab.text)?.[1] ?? '';

test('a browser gets the link, a snapshot, and then what changes, by ids of this run', async () => {
  const tab = await openTab();
  await seen(tab, 'event: snapshot');
  expect(tab.response.headers).toMatchObject({
    ...{ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
    ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  });
  expect(tab.text).toMatch(/^retry: \d+\n\n/);
  controller.set(withKeys({ db: 'a', cache: 'b' }));
  await seen(tab, 'event: changes');
  expect(tab.events.map(({ event }) => event)).toEqual(['link', 'snapshot', 'changes']);
  expect(JSON.parse(tab.events[0]?.data ?? '')).toEqual({
    ...{ isConnected: true, since: expect.any(Number), at: expect.any(Number) },
  });
  expect(JSON.parse(tab.events[1]?.data ?? '').state.keys).toEqual([['db', { text: 'a' }]]);
  expect(JSON.parse(tab.events[2]?.data ?? '').changes).toEqual({
    keys: { set: [['cache', { text: 'b' }]] },
  });
  expect(lastId(tab)).toMatch(/^[0-9a-f]{12}\.2$/);
});

test('the controller is read while somebody looks, and by one stream for all, also after a reload', async () => {
  expect(controller.streams).toBe(0);
  const all = await Promise.all(Array.from({ length: 7 }, () => openTab()));
  for (const tab of all) await seen(tab, 'event: snapshot');
  expect(controller.streams).toBe(1);
  for (const tab of all) tab.close();
  await seen(await openTab(), 'event: snapshot');
  expect(controller.requests.filter((one) => one === 'GET /v1/live')).toHaveLength(1);
});

test('it is not read any more a little after the last has gone', async () => {
  const { watchSocket, folder } = page;
  const short = await startPage({ watchSocket, listen: join(folder, 'page.sock') }, { linger: 0 });
  try {
    const tab = await openTab({}, short);
    await seen(tab, 'event: snapshot');
    tab.close();
    // A stream that is silent is cut after 45 s.
    await waitFor(() => controller.streams === 0, { what: 'the end of the stream', timeout: 20_000 });
    await seen(await openTab({}, short), 'event: snapshot');
  } finally {
    await short.close();
  }
});

test('a controller that goes: the last state stays, and what differs when it is back is sent as changes', async () => {
  const tab = await openTab();
  await seen(tab, 'event: snapshot');
  await controller.close();
  await seen(tab, `no controller answers at ${page.watchSocket}`);
  const [, stopped, gone] = of(tab, 'link').map(({ data }) => JSON.parse(data));
  expect(stopped.reason).toBe(`the controller at ${page.watchSocket} has stopped, or starts again`);
  expect(gone).toEqual({
    ...stopped,
    at: expect.any(Number),
    reason: expect.stringContaining('must run with --watch-socket'),
  });
  const late = await openTab();
  await seen(late, '"text":"a"');
  expect(JSON.parse(of(late, 'link')[0]?.data ?? '')).toEqual({ ...gone, at: expect.any(Number) });
  controller = await serveFakeWatchSocket(page.watchSocket, withKeys({ db: 'other' }));
  await seen(tab, '"text":"other"');
  await waitFor(() => of(tab, 'link').length === 4, { what: 'the link' });
  expect(of(tab, 'snapshot')).toHaveLength(1);
  expect(page.reports).toEqual([stopped.reason, gone.reason, 'the controller answers again']);
});

test('who starts the page is told where no controller is, and the page goes on', async () => {
  const watchSocket = join(page.folder, 'none.sock');
  const early = await startPage({ watchSocket, listen: join(page.folder, 'page.sock') }, { checkAfter: 0 });
  try {
    await waitFor(() => early.reports.length > 0, { what: 'the sentence' });
    expect(early.reports).toEqual([
      `no controller answers at ${watchSocket}: it must run with --watch-socket ${watchSocket}; waiting for it`,
    ]);
    expect((await early.call('/healthz')).status).toBe(200);
  } finally {
    await early.close();
  }
});

test('a controller that comes later is waited for', async () => {
  await controller.close();
  const tab = await openTab();
  await seen(tab, '"isConnected":false');
  expect(of(tab, 'snapshot')).toEqual([]);
  controller = await serveFakeWatchSocket(page.watchSocket, withKeys({ db: 'a' }));
  await seen(tab, 'event: snapshot');
  await seen(tab, '"isConnected":true');
});

test('a browser that was away gets what it missed; one of another run, or away too long, gets all of it', async () => {
  const tab = await openTab();
  await seen(tab, 'event: snapshot');
  const id = lastId(tab);
  controller.set(withKeys({ db: 'b' }));
  await seen(tab, '"text":"b"');
  const back = await openTab({ 'last-event-id': id });
  await seen(back, '"text":"b"');
  expect(back.events.map(({ event }) => event)).toEqual(['link', 'changes']);
  for (const foreign of ['000000000000.1', `${id}9`, '1', 'x'.repeat(500), `${id.split('.')[0]}.-1`]) {
    const other = await openTab({ 'last-event-id': foreign });
    await seen(other, '"text":"b"');
    expect(other.events.map(({ event }) => event)).toEqual(['link', 'snapshot']);
  }
  for (let count = 0; count < 6; count += 1)
    controller.set(withKeys({ db: `number ${count}${'x'.repeat(500_000)}` }));
  await seen(tab, 'number 5');
  const late = await openTab({ 'last-event-id': id });
  await seen(late, 'number 5');
  expect(late.events.map(({ event }) => event)).toEqual(['link', 'snapshot']);
});

test('one that reads nothing makes nobody wait, and gets a snapshot in place of all that it missed', async () => {
  // The kernel holds far less for a unix socket than for TCP, and the same on every machine.
  const { watchSocket, folder } = page;
  const behind = await startPage({ watchSocket, listen: join(folder, 'page.sock') });
  try {
    const slow = await openTab({}, behind);
    await seen(slow, 'event: snapshot');
    slow.response.pause();
    const other = await openTab({}, behind);
    const mark = (count: number) => `number ${count}`;
    for (let count = 10; count < 40; count += 1) {
      controller.set(withKeys({ db: `${mark(count)}${'x'.repeat(200_000)}` }));
      await seen(other, mark(count));
    }
    slow.response.resume();
    await seen(slow, mark(39));
    expect(of(slow, 'snapshot')).toHaveLength(2);
    expect(of(other, 'changes')).toHaveLength(30);
    expect(slow.text.length).toBeLessThan(other.text.length / 2);
  } finally {
    await behind.close();
  }
});

test('more streams than there may be are rejected, and the others stay', async () => {
  const [first] = await Promise.all(Array.from({ length: 24 }, () => openTab()));
  const { status, body } = await page.call('/live', { headers: { cookie } });
  expect(status).toBe(429);
  expect(body).toContain('24 streams of this login are open, which is the most; close another tab first');
  first?.close();
  const again = async () => (await page.open('/live', { headers: { cookie } })).statusCode === 200;
  await waitFor(again, { what: 'room for another' });
});

test('a controller of another version is named; a stream that is none is not taken for a state', async () => {
  const tab = await openTab();
  await seen(tab, 'event: snapshot');
  const entry = { version: '9.9.9' };
  controller.send('changes', { changes: { controller: { set: [['controller', entry]] } } });
  await seen(tab, 'the controller has version 9.9.9 and the page 1.2.3: run the same version of both');
  controller.send('snapshot', { state: { keys: 'none' } });
  await seen(tab, 'sent an unknown stream; do it and the page have the same version?');
  await seen(tab, '"isConnected":false');
});
