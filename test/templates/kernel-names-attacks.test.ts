/**
 * Ways around rules by name, each by a workload that can open raw sockets: Docker's resolver, the secret, and what happens
 * while nobody answers. Each is first seen to work without the rules, or without the line of the text that stops it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import type { ContainerForward } from '../../src/features/networks/model.ts';
import { loadNatTemplate, renderNat } from '../../src/features/networks/nat.ts';
import { address } from '../unit/features/names/names.ts';
import { netns, PORT, packet } from './fixture.ts';
import { DOCKER_PORT, DOCKER_RULES, OURS, SECRET, useNames } from './names-fixture.ts';
import { ruleSet } from './rules.ts';

const { workload, granted, denied, agents, sockets, grant, remove, loadNames, reset, sender } =
  await useNames();
await agents.denied.serve(53);

const DENIED = /^(?:silence|ECONNREFUSED|EPERM|EACCES|EHOSTUNREACH|ENETUNREACH)$/;
await agents.workload.serve(DOCKER_PORT, '127.0.0.11');

beforeEach(async () => {
  await reset();
  await workload.run('nft', ['delete', 'table', 'ip', 'docker_test'], { reject: false });
});

const askDocker = async (): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  sockets.docker.send(Buffer.from('ask'), 53, '127.0.0.11', (error) => error && resolve(error.message));
  return Promise.race([promise, nextAnswer()]);
};
const nextAnswer = async (): Promise<string> => {
  const before = dockerAnswers.length;
  for (let looks = 0; looks < 40 && dockerAnswers.length === before; looks++)
    await new Promise((resolve) => setTimeout(resolve, 25));
  return dockerAnswers[before] ?? 'silence';
};
const dockerAnswers: string[] = [];
sockets.docker.on('message', (message) => dockerAnswers.push(Buffer.from(message).toString()));

it("Docker's resolver is asked by the proxy alone, at whatever port", async () => {
  await workload.run('nft', ['-f', '-'], { input: DOCKER_RULES });
  expect(await agents.workload.ask('127.0.0.11', 53, 4100)).toBe('hello');
  expect(await agents.workload.received()).toBe('hello');
  await loadNames();
  expect(await agents.workload.ask('127.0.0.11', 53, 4100)).toBe(OURS);
  expect(await agents.workload.ask('127.0.0.11', DOCKER_PORT, 4101)).toMatch(DENIED);
  expect(await agents.workload.open('tcp', '127.0.0.11', DOCKER_PORT)).toMatch(DENIED);
  expect(await agents.workload.received()).toBe('');
  expect(await askDocker()).toBe('ask');
  expect(await agents.workload.received()).toBe('ask');
});

it("a flow that the workload forges in the name of Docker's resolver does not open the way to it", async () => {
  const forge = () =>
    packet(workload, 'datagram', '127.0.0.11', '127.0.0.1', String(DOCKER_PORT), '4104', 'forged');
  await loadNames({
    edit: (text) =>
      text.replace('ip daddr 127.0.0.11 goto deny', 'ip daddr 127.0.0.11 ct direction original goto deny'),
  });
  expect(await agents.workload.ask('127.0.0.11', DOCKER_PORT, 4104)).toMatch(DENIED);
  await forge();
  expect(await agents.workload.ask('127.0.0.11', DOCKER_PORT, 4104)).toBe('hello');
  await reset();
  await loadNames();
  await forge();
  expect(await agents.workload.ask('127.0.0.11', DOCKER_PORT, 4104)).toMatch(DENIED);
  expect(await agents.workload.received()).toBe('');
});

it("packets from the proxy's own port do not pass for its own", async () => {
  const forge = (port: number) =>
    packet(workload, 'datagram', '127.0.0.1', '127.0.0.11', String(sockets.dockerPort), String(port), 'evil');
  await workload.run('nft', ['-f', '-'], { input: DOCKER_RULES });
  await loadNames({ edit: (text) => text.replaceAll(/ socket cgroupv2 level \d+ "[^"]+"/g, '') });
  await forge(DOCKER_PORT);
  await expect.poll(() => agents.workload.received()).toBe('evil');
  await reset();
  await loadNames();
  for (const port of [53, DOCKER_PORT]) await forge(port);
  // The first one has come to the proxy, whose answer is not Docker's.
  await waitFor(() => dockerAnswers.includes(OURS), { what: 'its answer' });
  expect(await askDocker()).toBe('ask');
  expect(await agents.workload.received()).toBe('ask');
});

/** Prints each frame that passes a device of the namespace, after "ready"; ends with its input. */
const SNIFFER = `
  socket(my $all, 17, 3, unpack("S", pack("n", 3))) or die "$!";
  $| = 1;
  print "ready\n";
  while (sysread($all, my $frame, 9999)) { print unpack("H*", $frame), "\n" }
`;

it('the secret passes no device, and without the rules it does', async () => {
  const [command = '', ...prefix] = workload.prefix;
  const sniffer = spawn(command, [...prefix, 'perl', '-e', SNIFFER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = '';
  sniffer.stdout.on('data', (text) => {
    seen += text;
  });
  const until = (part: string) => waitFor(() => seen.includes(part), { what: part });
  try {
    await until('ready');
    await loadNames();
    expect(await grant(granted.ipv4)).toBe(true);
    expect(await grant(granted.ipv6)).toBe(true);
    await sender.sayAlive();
    // A class that the text does not have.
    sender.use({ secret: Buffer.from(SECRET, 'hex'), numbers: new Map([['tcp/1', 1]]) });
    expect(await grant(granted.ipv4, 'tcp/1')).toBe(false);
    await until(`${'00'.repeat(16)}00010401`);
    expect(seen).not.toContain(SECRET);
    await netns(workload, 'clear');
    expect(await grant(granted.ipv4, 'tcp/1')).toBe(false);
    await until(SECRET);
  } finally {
    sniffer.kill();
    await once(sniffer, 'exit');
  }
});

it('a question that meets nobody is not answered for a while, and then denied', async () => {
  const ask = async (host: string): Promise<string> => {
    const type = host.includes(':') ? 'AF_INET6' : 'AF_INET';
    const lines = [
      ...['import socket', `s = socket.socket(socket.${type}, socket.SOCK_DGRAM)`, 's.settimeout(0.5)'],
      ...[`s.connect(("${host}", 53))`, 's.send(b"x")'],
      ...['try: print(s.recv(99).decode())', 'except Exception as e: print(type(e).__name__)'],
    ];
    return (await workload.run('python3', ['-c', lines.join('\n')])).stdout.trim();
  };
  const hosts = [denied.ipv4, denied.ipv6];
  // Nobody is at this port.
  await loadNames({ edit: (text) => text.replace(/^define dnsport = .*$/m, 'define dnsport = 4099') });
  for (const host of hosts) expect(await ask(host)).toBe('ConnectionRefusedError');
  const alive = ['inet', 'egresstrator_egress', 'alive', '{ 1, 6, 17, 58 }'];
  await workload.run('nft', ['add', 'element', ...alive]);
  for (const host of hosts) expect(await ask(host)).toBe('TimeoutError');
  await workload.run('nft', ['delete', 'element', ...alive]);
  for (const host of hosts) expect(await ask(host)).toBe('ConnectionRefusedError');
});

it('rules about callers and ports that lead elsewhere stand beside it', async () => {
  const { text } = renderIngress(loadIngressTemplate(), ruleSet(`${granted.ipv4}:tcp/1`), 'enforce');
  expect((await netns(workload, 'load ingress', text)).exitCode).toBe(0);
  await loadNames({ input: { allowed: ruleSet(`${denied.ipv4}:udp/53`) } });
  expect(await agents.workload.ask(granted.ipv4, 53, 4102)).toBe(OURS);
  await expect.poll(() => agents.workload.ask(denied.ipv4, 53, 4103), { timeout: 20_000 }).toBe('hello');
  expect(await grant(granted.ipv4)).toBe(true);
  expect(await agents.workload.open('x', granted.ipv4, PORT)).toBe('connected');
  expect(await agents.workload.talk('x')).toBe('hello');
  expect(await agents.granted.open('y', workload.ipv4, PORT)).toMatch(DENIED);
  await workload.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  const forward: ContainerForward = {
    ...{ inside: 'workload', device: undefined, protocol: 'tcp', port: 90 },
    ...{ to: address(granted.ipv4), toPort: PORT, origin: { path: 'policies[0]', line: 1, lines: {} } },
  };
  const nat = renderNat(loadNatTemplate(), [forward]).text;
  expect((await netns(workload, 'load nat', nat)).exitCode).toBe(0);
  expect(await agents.denied.open('through', workload.ipv4, 90)).toBe('connected');
  expect(await agents.denied.talk('through')).toBe('hello');
  expect(await remove(granted.ipv4)).toBe(true);
  expect(await agents.denied.talk('through')).toBe('hello');
  expect((await netns(workload, 'list')).stdout.split('\n').sort()).toEqual(['egress', 'ingress', 'nat']);
});
