/**
 * `node test/support/sample-page.ts [--large] [--port <port>]`: the page with an invented host, to look at while one
 * works on screens. No controller and no session are needed; questions are answered by the project's own diagnostics.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { explainAnswer } from '../../src/diagnostics/explain-answer.ts';
import { catalogIndex } from '../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../src/live/snapshot.ts';
import { type LiveState, wireOf } from '../../src/live/state.ts';
import { largeSample, liveSample } from './live-sample.ts';

const { values } = parseArgs({
  options: { large: { type: 'boolean' }, port: { type: 'string', default: '9470' } },
});
const folder = join('.lab', 'sample-page');
const now = Date.now();
const state = values.large === true ? largeSample(now) : liveSample(now);

execFileSync(process.execPath, ['scripts/bundle-page.ts', folder]);

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  response.setHeader('content-security-policy', POLICY);
  if (pathname === '/live') stream(response, state);
  else if (pathname === '/session') json(response, 200, { ok: true });
  else if (pathname.startsWith('/api/')) answer(response, pathname, searchParams);
  else if (existsSync(join(folder, pathname)) && pathname !== '/') file(response, join(folder, pathname));
  else file(response, join(folder, 'index.html'), 'text/html');
}).listen(Number(values.port), '127.0.0.1', () => console.log(`http://127.0.0.1:${values.port}/`));

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

function file(response: ServerResponse, path: string, type = TYPES[extname(path)] ?? 'text/plain'): void {
  response.setHeader('content-type', type);
  response.end(readFileSync(path));
}

function json(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** The snapshot, and then a denied packet every two seconds. */
function stream(response: ServerResponse, from: LiveState): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: string, data: object) =>
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let revision = 1;
  send('snapshot', { revision, at: Date.now(), state: wireOf(from) });
  send('link', { isConnected: true, since: now, at: Date.now() });
  const [first] = from.denied;
  const timer = setInterval(() => {
    revision += 1;
    if (first === undefined) return;
    const [id, row] = first;
    const next = { ...row, packets: row.packets + revision, lastSeenAt: Date.now() };
    send('changes', { revision, at: Date.now(), changes: { denied: { set: [[id, next]] } } });
  }, 2000);
  response.on('close', () => clearInterval(timer));
}

function answer(response: ServerResponse, path: string, query: URLSearchParams): void {
  const [code, body] = answerTo(path, query);
  json(response, code, body);
}

function answerTo(path: string, query: URLSearchParams): readonly [number, object] {
  const snapshot = snapshotOf(state);
  if (path === '/api/services') return [200, { instances: [] }];
  if (path !== '/api/explain' || snapshot === undefined)
    return [404, { error: 'the sample answers explain and services alone' }];
  const question = {
    ...{ container: query.get('container') ?? '', target: query.get('target') ?? '' },
    traffic: query.get('traffic') ?? undefined,
  };
  try {
    return [200, explainAnswer(question, snapshot, () => catalogIndex(snapshot))];
  } catch (error) {
    return [400, { error: error instanceof Error ? error.message : String(error) }];
  }
}
