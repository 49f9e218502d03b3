/**
 * A page's process in this process, beside a fake watch socket, with a page of two files; and requests to it with any
 * header, as browsers and attackers send them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePorts } from '../../lab/ports.ts';
import type { PageConfig } from '../../src/config/page-config.ts';
import { type PageOptions, servePage } from '../../src/page-server/serve-page.ts';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface PageProcess {
  readonly folder: string;
  readonly watchSocket: string;
  readonly port: number;
  /** What it has printed. */
  readonly lines: readonly string[];
  readonly reports: readonly string[];
  call(path: string, asked?: Asked): Promise<Answered>;
  /** The answer as soon as it begins. */
  open(path: string, asked?: Asked): Promise<IncomingMessage>;
  /** Logs in by the newest link, and returns the cookie. */
  logIn(): Promise<string>;
  close(): Promise<void>;
}

export const INDEX_TEXT = '<!doctype html><title>the page</title>';
const SCRIPT = `export const value = ${JSON.stringify('long '.repeat(400))};\n`;

/** A folder with a page, for `assets`. */
export function pageFolder(folder: string): string {
  const assets = join(folder, 'page');
  mkdirSync(join(assets, 'assets'), { recursive: true });
  writeFileSync(join(assets, 'index.html'), INDEX_TEXT);
  writeFileSync(join(assets, 'assets', 'main.js'), SCRIPT);
  writeFileSync(join(assets, 'assets', 'screen-C6MMZ76V.js'), SCRIPT);
  return assets;
}

const folders: string[] = [];

/** A file that calls it also has `afterAll(removeFolders)`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'egt-page-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** `config`: what differs from a page on loopback without options. */
export async function startPage(
  config: Partial<PageConfig> = {},
  options: Partial<PageOptions> = {},
): Promise<PageProcess> {
  const [port = 0] = await freePorts(1);
  const folder = temporaryFolder();
  const [lines, reports]: [string[], string[]] = [[], []];
  const resources = new AsyncDisposableStack();
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const whole: PageConfig = {
    ...{ watchSocket: join(folder, 'watch.sock'), listen: { host: '127.0.0.1', port }, hosts: [] },
    ...{ tokenFile: undefined, cert: undefined, key: undefined, isPublishedOnLoopback: false },
    ...config,
  };
  try {
    await servePage(
      {
        ...{
          config: whole,
          assets: pageFolder(folder),
          version: '1.2.3',
          linger: 600_000,
          checkAfter: 600_000,
        },
        print: (line) => lines.push(line),
        report: (line) => reports.push(line),
        ...options,
      },
      resources,
    );
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
  const to = typeof whole.listen === 'string' ? { socketPath: whole.listen } : { ...whole.listen };
  const open = (path: string, asked: Asked = {}) =>
    send({ ...to, path, isSecure: whole.cert !== undefined }, asked);
  const call = async (path: string, asked: Asked = {}): Promise<Answered> => {
    const response = await open(path, asked);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  };
  return {
    ...{ folder, port, lines, reports, call, open, watchSocket: whole.watchSocket },
    logIn: () => logIn(call, tokenIn(lines.at(-1) ?? '')),
    close: () => resources.disposeAsync(),
  };
}

export const tokenIn = (line: string): string => /#token=(.+)$/.exec(line)?.[1] ?? '';

export const asToken = (token: string): Asked => ({
  ...{ method: 'POST', body: JSON.stringify({ token }), headers: { 'content-type': 'application/json' } },
});

async function logIn(call: PageProcess['call'], token: string): Promise<string> {
  const { status, headers, body } = await call('/session', asToken(token));
  const [cookie] = headers['set-cookie'] ?? [];
  if (status !== 200 || cookie === undefined) throw new Error(`no session: ${status} ${body}`);
  return cookie.split(';')[0] ?? '';
}

interface Target {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly path: string;
  readonly isSecure: boolean;
}

const send = (
  { isSecure, ...target }: Target,
  { method = 'GET', headers, body }: Asked,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = { ...target, method, headers: { ...headers }, agent: false, rejectUnauthorized: false };
    const call = isSecure ? secure(options, resolve) : plain(options, resolve);
    call.on('error', reject);
    call.end(body);
  });
