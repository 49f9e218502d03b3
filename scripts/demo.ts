/**
 * `npm run demo`: shows the main job on real containers, and ends by itself. Each line is printed
 * when it was observed; the demo fails if an expectation does not come true.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Consul } from '../lab/consul.ts';
import { messageOf } from '../src/common/errors.ts';
import { tourOfHost } from './demo-host.ts';
import { serveDemoNames, tourOfNames } from './demo-names.ts';
import { type Docker, dockerOf, observe, startController, title } from './demo-steps.ts';
import { type Setup, setUp } from './setup.ts';
import { atSignals } from './signals.ts';

const SERVER = 'egresstrator-demo-server';
const WORKLOAD = 'egresstrator-demo-workload';
const KEY = 'egress/acl/demo';

interface Fixture {
  readonly docker: Docker;
  readonly put: (rules: string) => Promise<void>;
  readonly consul: Consul;
  readonly server: string;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-demo-'));
  // If the demo is interrupted, its next step fails, and everything is removed as well.
  const early = new AbortController();
  atSignals((signal) => early.abort(new Error(`${signal} ended it`)));
  try {
    await tourOfContainers(join(folder, 'containers'), early.signal);
    await tourOfHost(join(folder, 'host'), early.signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tourOfContainers(folder: string, signal: AbortSignal): Promise<void> {
  const setup = await setUp({ privateConsul: true });
  const { ownConsul: consul } = setup;
  if (consul === undefined) throw new Error('the demo needs a Consul of its own');
  const { environment } = setup;
  const names = await serveDemoNames();
  const controller = startController({ environment, folder, args: ['--names-upstream', names.endpoint] });
  const docker = dockerOf(environment);
  const toured: Docker = async (...args) => {
    signal.throwIfAborted();
    return docker(...args);
  };
  try {
    await docker('rm', '-f', SERVER, WORKLOAD);
    const server = await startContainers(setup, toured);
    const fixture = { docker: toured, consul, server, put: put(consul) };
    await tour(fixture);
    await tourOfNames({
      ...{ names, server, put: fixture.put, reaches: (port) => reaches(fixture, port) },
      lookup: async (name) => (await toured('exec', WORKLOAD, 'nslookup', name)).stdout,
    });
  } finally {
    await docker('rm', '-f', SERVER, WORKLOAD);
    await controller.stop();
    names.close();
    await consul.stop();
  }
}

async function tour(fixture: Fixture): Promise<void> {
  const { server, put, consul } = fixture;
  title(`A workload with EGRESSTRATOR_ACL=demo; ${KEY} says ${server}:tcp/8080`);
  await put(`${server}:tcp/8080`);
  await observe('port 8080 is reached', () => reaches(fixture, 8080));
  await observe('port 8081 is refused', async () => !(await reaches(fixture, 8081)));

  title(`An edit in Consul: ${server}:tcp/8081`);
  await put(`${server}:tcp/8081`);
  await observe('port 8081 is reached now', () => reaches(fixture, 8081));
  await observe('port 8080 is refused now', async () => !(await reaches(fixture, 8080)));

  title('A service: the key says demo.web, and nothing is registered yet');
  await put('demo.web');
  await observe('port 8080 is refused', async () => !(await reaches(fixture, 8080)));
  const service = { Name: 'web', Tags: ['demo'], Address: server, Port: 8080 };
  await consul.call('PUT', '/v1/agent/service/register', service);
  await observe('port 8080 is reached once web is registered', () => reaches(fixture, 8080));

  title('A running connection, whose rule goes');
  await put(`${server}:tcp/9000`);
  await observe('a connection to port 9000 echoes', () => reaches(fixture, 9000));
  const connection = openConnection(fixture);
  await observe('it is held open and carries data', async () => connection.lines() > 3);
  await put('# nothing');
  await observe('it is cut', async () => connection.ended());
}

async function reaches({ docker, server }: Fixture, port: number): Promise<boolean> {
  return (await docker('exec', WORKLOAD, 'sh', '-c', `nc -w2 ${server} ${port} </dev/null`)).ok;
}

function openConnection({ docker, server }: Fixture): { lines(): number; ended(): boolean } {
  const file = '/tmp/echoed';
  let state = { lines: 0, ended: false };
  const talk = `while sleep 0.05; do echo tick; done | nc ${server} 9000 >${file}; true`;
  const running = docker('exec', WORKLOAD, 'sh', '-c', talk).then(() => {
    state = { ...state, ended: true };
  });
  const look = async () => {
    while (!state.ended) {
      const { stdout } = await docker('exec', WORKLOAD, 'sh', '-c', `wc -l <${file}`);
      state = { ...state, lines: Number(stdout) };
    }
  };
  void Promise.all([running, look()]);
  return { lines: () => state.lines, ended: () => state.ended };
}

async function startContainers({ workload }: Setup, docker: Docker): Promise<string> {
  const listen = 'httpd -p 8080; httpd -p 8081; exec nc -ll -p 9000 -e cat';
  await docker('run', '-d', '--name', SERVER, workload, 'sh', '-c', listen);
  const ask = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=demo'];
  await docker('run', '-d', '--name', WORKLOAD, ...ask, workload, 'sleep', '600');
  const { stdout } = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', SERVER);
  if (stdout.trim() === '')
    throw new Error(`the container ${SERVER} has no address; does "docker logs ${SERVER}" say why?`);
  return stdout.trim();
}

const put = (consul: Consul) => async (rules: string) => {
  await consul.call('PUT', `/v1/kv/${KEY}`, rules);
};

try {
  await main();
  process.stdout.write(
    '\nAll of it came true. `npm start` runs the controller for you to try, and prints the address of a page to watch it in a browser.\n',
  );
} catch (error) {
  process.stderr.write(`egresstrator: the demo failed: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
