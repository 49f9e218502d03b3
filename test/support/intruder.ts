/**
 * What somebody can do who has taken over the page's process: a program with its user and its group, that tries. Prints the
 * attempts that work, as JSON. The parent gives `{ uid, gid, groups, … }` as JSON; without `uid` it stays what it is.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, openSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';

export interface Intrusion {
  readonly uid?: number;
  readonly gid?: number;
  readonly api: string;
  readonly watch: string;
  readonly docker: string;
  readonly controller: number;
  /** Where the controller keeps its files. */
  readonly folder: string;
  /** A file of the program. */
  readonly program: string;
}

const question: Intrusion = JSON.parse(process.argv[2] ?? '{}');
const { uid, gid = 0, api, watch, docker, controller, folder, program } = question;

const works = (attempt: () => unknown): boolean => {
  try {
    return attempt() !== false;
  } catch {
    return false;
  }
};

/** The status; 0 if it does not connect. */
const call = (socketPath: string, method: string, path: string): Promise<number> =>
  new Promise((resolve) => {
    request({ socketPath, method, path, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', () => resolve(0))
      .end();
  });

const runs = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const mayWrite = (path: string): boolean => works(() => accessSync(path, constants.W_OK));

/** Where a request that changes something is known, it is answered by another status than these. */
const UNKNOWN = new Set([0, 404, 405]);
const CHANGES = [
  ['POST', '/v1/diff'],
  ['POST', '/v1/override'],
  ['POST', '/v1/port'],
  ['PUT', '/v1/keys'],
  ['DELETE', '/v1/status'],
] as const;

async function changesBy(socket: string): Promise<boolean> {
  for (const [method, path] of CHANGES) if (!UNKNOWN.has(await call(socket, method, path))) return true;
  return false;
}

async function attempts(): Promise<Readonly<Record<string, boolean>>> {
  const proc = `/proc/${controller}`;
  return {
    'ask the watch socket': (await call(watch, 'GET', '/v1/status')) === 200,
    'change something by the watch socket': await changesBy(watch),
    'replace the watch socket': mayWrite(dirname(watch)),
    'ask the controller': (await call(api, 'GET', '/v1/status')) === 200,
    'change something by the controller': await changesBy(api),
    'ask the Engine': (await call(docker, 'GET', '/version')) === 200,
    'signal the controller': works(() => process.kill(controller, 0)),
    'read its memory': works(() => openSync(`${proc}/mem`, 'r')),
    'read its environment': works(() => openSync(`${proc}/environ`, 'r')),
    'enter its network': runs('nsenter', `--net=${proc}/ns/net`, 'true'),
    'see rules': runs('nft', 'list', 'tables'),
    'read its files': works(() => readdirSync(join(folder, 'state'))),
    'write its files': ['', 'state', 'run', 'api.sock'].some((name) => mayWrite(join(folder, name))),
    'write the program': mayWrite(program) || mayWrite(dirname(program)),
  };
}

if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
const found = Object.entries(await attempts()).filter(([, isDone]) => isDone);
process.stdout.write(JSON.stringify(found.map(([name]) => name)));
