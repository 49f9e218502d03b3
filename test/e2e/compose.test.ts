/**
 * `docker compose up --build` on a machine with an Engine and nothing else, and the two lines that the
 * compose file tells people to try. Images that would be pulled are the lab's.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Compose, ensureCompose } from '../../lab/compose.ts';
import { composeEnvironment } from '../../lab/compose-images.ts';
import { callEngine } from '../../lab/engine/api.ts';
import { type Engine, ensureEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { engineHere } from '../support/engines.ts';

const project = `egt${process.pid}`;

describe('docker compose', () => {
  let engine: Engine;
  let compose: Compose;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    engine = await ensureEngine(engineHere('28.5'));
    compose = await ensureCompose();
    env = await composeEnvironment(engine.socketPath);
  });
  afterAll(async () => {
    if (env !== undefined) await run('down', '--volumes', '--timeout', '1');
  });

  const run = (...args: readonly string[]) =>
    compose.run(engine.socketPath, ['--project-name', project, '--progress', 'quiet', ...args], { env });
  const exec = (service: string, ...command: readonly string[]) => run('exec', '-T', service, ...command);
  const fetches = (service: string): Promise<string> =>
    exec(service, 'wget', '-T3', '-t1', '-O-', 'http://web:8080/hostname').catch(String);
  const allow = (key: string, rule: string) =>
    exec('consul', 'consul', 'kv', 'put', `egress/acl/${key}`, rule);

  test('brings everything up, healthy, with no other step', async () => {
    await run('up', '--build', '--detach', '--quiet-pull');
    expect(await exec('egresstrator', 'egresstrator', 'health')).toContain('is healthy');
    const isHealthy = async () => (await run('ps', '--format', '{{.Health}}', 'page')) === 'healthy';
    await waitFor(isHealthy, { what: 'the page to be healthy', timeout: 60_000 });
    const lines = (await run('ps', '--all', '--format', '{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}'))
      .split('\n')
      .sort();
    expect(lines).toEqual([
      'allowed running  0',
      'consul running healthy 0',
      'denied running  0',
      'egresstrator running healthy 0',
      'page running healthy 0',
      'rules exited  0',
      'web running  0',
    ]);
  }, 600_000);

  test('allows the connection of one and denies that of the other, until a key changes', async () => {
    const denied = async () => /Connection refused/.test(await fetches('denied'));
    await waitFor(denied, { what: 'the connection of `denied` to be denied', timeout: 60_000 });
    expect(await fetches('allowed')).toMatch(/^[0-9a-f]{12}$/);

    await allow('nothing', '172.30.77.10:tcp/8080');
    const passes = async () => /^[0-9a-f]{12}$/.test(await fetches('denied'));
    await waitFor(passes, { what: 'the connection of `denied` to pass', timeout: 60_000 });

    await allow('web', '# nobody any more');
    const cut = async () => /Connection refused/.test(await fetches('allowed'));
    await waitFor(cut, { what: 'the connection of `allowed` to be denied', timeout: 60_000 });
  });

  test('runs the controller with no capability, and helpers of its own image', async () => {
    const status = await exec('egresstrator', 'sh', '-c', 'cat /proc/1/status');
    expect(status).toMatch(/^CapBnd:\t0000000000000000$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    const text = await exec('egresstrator', 'egresstrator', 'render', '--acl', 'nothing');
    expect(text).toContain('172.30.77.10 . tcp . 8080');
    const logs = await run('logs', '--no-log-prefix', 'egresstrator');
    const errors = logs.split('\n').filter((line) => /"level":"error"/.test(line));
    // The compose file expects that error: `denied` names a key that does not exist at first.
    expect(errors.filter((line) => !line.includes('no such ACL key'))).toEqual([]);
    expect(await exec('egresstrator', 'egresstrator', 'set', '--all', '--json')).toContain(
      '"state": "protected"',
    );
  });

  test('lets a Prometheus in its network in by the name of the service', async () => {
    const ask = (url: string) => exec('web', 'wget', '-T3', '-t1', '-qO-', url).catch(String);
    expect(await ask('http://egresstrator:9464/metrics')).toContain('egresstrator_build_info{');
  });

  test('serves the page on loopback by a container without privileges, which sees the watch socket alone', async () => {
    const [, token = ''] = /#token=(\S+)$/m.exec(await run('logs', '--no-log-prefix', 'page')) ?? [];
    const browse = `
      const address = 'http://127.0.0.1:9465';
      const body = JSON.stringify({ token: process.argv[1] });
      const session = await fetch(address + '/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const cookie = session.headers.get('set-cookie').split(';')[0];
      const { namespaces } = await (await fetch(address + '/api/status', { headers: { cookie } })).json();
      const page = await (await fetch(address, { headers: { accept: 'text/html' } })).text();
      console.log(page.includes('<title>egresstrator'), namespaces.length);`;
    const [title, count] = (await exec('page', 'node', '--input-type=module', '--eval', browse, token)).split(
      ' ',
    );
    expect({ title, count }).toEqual({ title: 'true', count: '2' });
    const status = await exec('page', 'cat', '/proc/1/status');
    expect(status).toMatch(/^CapBnd:\t0000000000000000$/m);
    expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
    const find = (words: string) => exec('page', 'sh', '-c', `find / -xdev ${words} 2>/dev/null; true`);
    expect(await find("-writable -not -path '/proc/*' -not -path '/dev/*'")).toBe('');
    const seen = await exec(
      'page',
      'sh',
      '-c',
      'find / -xdev -type s 2>/dev/null; ls -A /run/egresstrator-watch',
    );
    expect(seen).toBe('watch.sock');
    const port = await callEngine(engine.socketPath, 'GET', `/containers/${project}-page-1/json`);
    expect(JSON.stringify(port)).toContain('"9465/tcp":[{"HostIp":"127.0.0.1","HostPort":"9465"}]');
  });

  test('is gone after "down --volumes"', async () => {
    await run('down', '--volumes', '--timeout', '1');
    const label = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
    for (const kind of ['containers/json?all=1&', 'networks?', 'volumes?']) {
      const { body } = await callEngine(engine.socketPath, 'GET', `/${kind}filters=${label}`);
      expect(Object(body).Volumes ?? body).toEqual([]);
    }
    // Helpers do not carry the project's label.
    const helpers = encodeURIComponent(JSON.stringify({ label: ['egresstrator.role=helper'] }));
    const { body } = await callEngine(engine.socketPath, 'GET', `/containers/json?all=1&filters=${helpers}`);
    expect(body).toEqual([]);
  });
});
