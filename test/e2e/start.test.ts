/**
 * `npm start` as a newcomer runs it: on an Engine of the lab, in a network namespace of its own, where no Consul
 * answers. What its banner tells people to type works, and a signal to npm ends all of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, ensureEngine } from '../../lab/engine.ts';
import { inCheckout } from '../../lab/paths.ts';
import { readOrUndefined } from '../../lab/process.ts';
import { waitFor } from '../../lab/wait.ts';
import { ensureHelperImage } from '../../scripts/setup.ts';
import { engineHere } from '../support/engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-start-'));
const mark = `EGT_START=${randomUUID()}`;
let engine: Engine;
let npm: ChildProcess;
let output = '';

/** npm and all that descends from it carries the mark; npm's own argument list is shown where a test fails. */
const alive = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => readOrUndefined(`/proc/${name}/environ`)?.split('\0').includes(mark))
    .map((name) => `${name} ${readOrUndefined(`/proc/${name}/cmdline`)?.replaceAll('\0', ' ')}`);

/** Without what npm and vitest add for their own children. */
const environment = (): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|CONSUL_|EGRESSTRATOR_)/i.test(name));
  const path = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'));
  const [name = '', value] = mark.split('=');
  return {
    ...Object.fromEntries(own),
    PATH: path.join(delimiter),
    [name]: value,
    DOCKER_HOST: `unix://${engine.socketPath}`,
    EGRESSTRATOR_SOCKET: join(folder, 'api.sock'),
    EGRESSTRATOR_WATCH_SOCKET: join(folder, 'watch', 'watch.sock'),
    EGRESSTRATOR_STATE_DIR: join(folder, 'state'),
    EGRESSTRATOR_RUN_DIR: join(folder, 'run'),
  };
};

async function start(more: NodeJS.ProcessEnv = {}): Promise<void> {
  output = '';
  const inside = 'ip link set lo up && exec npm start';
  npm = spawn('unshare', ['--net', 'sh', '-c', inside], {
    ...{ cwd: inCheckout(), env: { ...environment(), ...more }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  for (const stream of [npm.stdout, npm.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  await seen(/^ {2}\S+bin\/egresstrator .*status$/m);
}

const seen = (words: RegExp): Promise<unknown> =>
  waitFor(() => words.test(output) || npm.exitCode !== null, { what: String(words), timeout: 240_000 }).then(
    () => expect(output).toMatch(words),
  );

beforeAll(async () => {
  engine = await ensureEngine(engineHere('28.5'));
  // Where npm start runs, nothing can be downloaded.
  await ensureHelperImage(engine);
});
afterAll(async () => {
  npm?.kill('SIGTERM');
  await waitFor(() => alive().length === 0, { what: 'the end of npm start', timeout: 60_000 });
  rmSync(folder, { recursive: true, force: true });
});

test('says what to type, and that answers; says that its Consul forgets; warns of nothing', async () => {
  await start();
  expect(output).toContain('it keeps keys in memory, and forgets them when this ends');
  expect(output).not.toMatch(/npm warn/i);
  const [command = ''] = /^ {2}\S+bin\/egresstrator .*status$/m.exec(output) ?? [];
  // As in another terminal: another folder, and nothing of this environment but PATH.
  const typed = () =>
    execa('sh', ['-c', command], { cwd: '/', extendEnv: false, env: { PATH: environment().PATH } });
  await waitFor(
    () =>
      typed().then(
        ({ stdout }) => /^rules +\d+\w+ ago +ok$/m.test(stdout),
        () => false,
      ),
    { what: command, timeout: 60_000, interval: 500 },
  );
  const npx = await execa('npx', ['egresstrator', ...command.trim().split(' ').slice(1)], {
    ...{ cwd: inCheckout(), extendEnv: false, stdin: 'ignore' },
    env: { PATH: environment().PATH, HOME: folder },
  });
  expect(npx.stdout).toMatch(/^rules +\d+\w+ ago +ok$/m);
  expect(npx.stderr).toBe('');
}, 300_000);

test('prints an address for a browser, which shows what the controller knows, and works once', async () => {
  const [, address = '', token = ''] = /^ {2}(http:\S+)\/#token=(\S+)$/m.exec(output) ?? [];
  const browse = `
    const [address, token] = process.argv.slice(1);
    const body = JSON.stringify({ token });
    const logIn = () => fetch(address + '/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const first = await logIn();
    const cookie = first.headers.get('set-cookie').split(';')[0];
    const page = await (await fetch(address, { headers: { accept: 'text/html' } })).text();
    const { sources } = await (await fetch(address + '/api/status', { headers: { cookie } })).json();
    const live = await fetch(address + '/live', { headers: { cookie } });
    let text = '';
    for await (const part of live.body.pipeThrough(new TextDecoderStream()))
      if ((text += part).includes('"isConnected":true') && /^event: snapshot\\n.*\\n.*\\n\\n/m.test(text)) break;
    const { state } = JSON.parse(/^event: snapshot\\n.*\\ndata: (.*)$/m.exec(text)[1]);
    console.log(state.controller[0][1].isReady, state.keys[0][0]);
    console.log(page.includes('<title>egresstrator'), sources.some(({ name }) => name === 'rules'), (await logIn()).status);`;
  const node = [process.execPath, '--input-type=module', '--eval', browse, address, token];
  const { stdout } = await execa('nsenter', ['--net', '--target', String(npm.pid), ...node]);
  expect(stdout).toBe('true example\ntrue true 401');
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s to npm ends all of it, Consul too, and not the Engine',
  async (signal) => {
    if (npm.exitCode !== null || npm.signalCode !== null) {
      await start({ EGRESSTRATOR_PAGE_LISTEN: 'nowhere' });
      // The controller goes on without its page.
      expect(output).toContain('EGRESSTRATOR_PAGE_LISTEN: expected a port, host:port or unix:<path>');
      expect(output).not.toContain('in a browser');
    }
    // The banner comes just before the controller.
    const runs = (words: string) => alive().some((line) => line.includes(words));
    await waitFor(() => runs('src/cli/main.ts') && runs('consul agent'), { what: 'all of it to run' });
    const before = alive();
    // It is npm itself: unshare and sh became it.
    npm.kill(signal);
    await waitFor(() => alive().length === 0, { what: `the end of\n${before.join('\n')}`, timeout: 60_000 });
    const { stdout } = await execa('docker', [
      '-H',
      `unix://${engine.socketPath}`,
      'version',
      '--format',
      '{{.Server.Version}}',
    ]);
    expect(stdout).toBe(engine.version);
  },
  300_000,
);
