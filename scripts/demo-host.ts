/**
 * The demo's second tour: a container's port that is closed, opened and closed, and a port of the host that leads to it.
 *
 * It closes ports of a whole host. So it has an Engine of its own, in a network namespace that stands for a host, and the
 * caller is in another one.
 */
import { type Consul, startConsul } from '../lab/consul.ts';
import { type OwnEngine, startEngine } from '../lab/engine.ts';
import { ensureWorkloadImage } from '../lab/images.ts';
import { type Caller, createCaller } from '../lab/netns.ts';
import { type Docker, dockerOf, observe, startController, title } from './demo-steps.ts';

const NODE = 'egresstrator-demo';
const CONTAINER = 'web';

interface Host {
  readonly engine: OwnEngine;
  readonly consul: Consul;
  readonly caller: Caller;
}

/** `folder`: for the controller's files. `signal`: ends the tour early; everything is removed then too. */
export async function tourOfHost(folder: string, signal: AbortSignal): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const host = await startHost(resources);
  const { engine, consul } = host;
  const environment = { DOCKER_HOST: `unix://${engine.socketPath}`, CONSUL_HTTP_ADDR: consul.address };
  const address = await startWeb(engine, dockerOf(environment));
  const args = ['--ports', 'enforce', '--ports-family', 'both', '--forwards', 'auto', '--node', NODE];
  const { networkPrefix } = engine;
  resources.adopt(startController({ environment, folder, args, networkPrefix }), (one) => one.stop());
  signal.throwIfAborted();
  await tour(host, address, signal);
}

/** The Engine makes no rules: what forwards its ports is ours. */
async function startHost(resources: AsyncDisposableStack): Promise<Host> {
  const daemonOptions = ['--iptables=false', '--userland-proxy=false'];
  const options = { name: 'demo', network: 'own', diesWithParent: true, daemonOptions } as const;
  const engine = resources.adopt(await startEngine({ version: 'host', ...options }), (one) => one.remove());
  const consul = resources.adopt(await startConsul({ engine }), (one) => one.stop());
  const [, name = ''] = /\/run\/netns\/(\S+)$/.exec(engine.networkPrefix.join(' ')) ?? [];
  const caller = resources.adopt(await createCaller(name), (one) => one.dispose());
  return { engine, consul, caller };
}

/** Resolves with its address. */
async function startWeb(engine: OwnEngine, docker: Docker): Promise<string> {
  const image = await ensureWorkloadImage(engine.socketPath);
  await docker('run', '-d', '--name', CONTAINER, '-p', '8080:80', image, 'httpd', '-f', '-p', '80');
  const { stdout } = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', CONTAINER);
  if (stdout.trim() === '') throw new Error(`the container ${CONTAINER} has no address`);
  return stdout.trim();
}

async function tour({ consul, caller }: Host, address: string, signal: AbortSignal): Promise<void> {
  const reaches = async (...place: readonly [address: string, port: number]): Promise<boolean> => {
    signal.throwIfAborted();
    return calls(caller, ...place);
  };
  const isClosed = async () => !(await reaches(address, 80)) && !(await reaches(caller.host.ipv4, 8080));

  title('A host with --ports enforce and --forwards auto, and a caller outside');
  await observe('port 80 of the container is closed: no service is registered there', isClosed);

  title('Its service is registered in Consul');
  const Service = { ID: CONTAINER, Service: CONTAINER, Address: address, Port: 80 };
  await consul.call('PUT', '/v1/catalog/register', { Node: NODE, Address: '127.0.0.1', Service });
  await observe('port 80 of the container is open', () => reaches(address, 80));
  await observe('port 8080 of the host leads to it, on an Engine that makes no rules', () =>
    reaches(caller.host.ipv4, 8080),
  );

  title('The service is deregistered');
  await consul.call('PUT', '/v1/catalog/deregister', { Node: NODE, ServiceID: CONTAINER });
  await observe('both ports are closed', isClosed);
}

/** Milliseconds after which no answer is none. */
const TIMEOUT = 500;

const CALL = `
  const socket = require('node:net').connect(Number(process.argv[2]), process.argv[1]);
  socket.setTimeout(${TIMEOUT}, () => process.exit(1));
  socket.on('error', () => process.exit(1)).on('connect', () => process.exit(0));`;

async function calls({ namespace }: Caller, address: string, port: number): Promise<boolean> {
  const how = ['-e', CALL, address, String(port)];
  return (await namespace.run(process.execPath, how, { reject: false })).exitCode === 0;
}
