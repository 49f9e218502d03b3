/**
 * Floods of the proxy by a workload, and packets that only seem to be its own: what the kernel drops before the proxy has
 * work with it. The rates of the text are too high for a test that must not depend on the machine, so it makes them lower.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { PORT, packet } from './fixture.ts';
import { DOCKER_PORT, DOCKER_RULES, OURS, SECRET, TCP, useNames } from './names-fixture.ts';

const { workload, granted, denied, agents, sockets, sender, grant, loadNames, arrived, reset } =
  await useNames();

await agents.workload.serve(DOCKER_PORT, '127.0.0.11');
await workload.run('nft', ['-f', '-'], { input: DOCKER_RULES });

const dockerAnswers: string[] = [];
sockets.docker.on('message', (message) => dockerAnswers.push(Buffer.from(message).toString()));

beforeEach(async () => {
  await reset();
  dockerAnswers.length = 0;
});

const BURST = 5;
/** None comes again while a test runs. */
const slow = (text: string): string =>
  text
    .replaceAll('5000/second burst 5000', `1/hour burst ${BURST}`)
    .replaceAll('1000/second burst 1000', '1/hour burst 2');

/** Sends so many datagrams with one call each, and prints the errors. */
const send = async (host: string, port: number, count: number): Promise<string> => {
  const type = host.includes(':') ? 'AF_INET6' : 'AF_INET';
  const lines = [
    ...['import socket', `s = socket.socket(socket.${type}, socket.SOCK_DGRAM)`],
    ...[`for one in range(${count}):`, ` try: s.sendto(b"flood", ("${host}", ${port}))`],
    ' except OSError as e: print(e)',
  ];
  return (await workload.run('python3', ['-c', lines.join('\n')])).stdout;
};
const FLOOD = Buffer.from('flood').toString('hex');

/** How many came until now: what is sent last comes last. */
const floods = async (host: string): Promise<number> => {
  await loadNames({ command: 'reload' });
  expect(await agents.workload.ask(host, 53, 4200)).toBe(OURS);
  return arrived().filter((one) => one === FLOOD).length;
};

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const own = family === 'ipv4' ? '127.83.83.53' : '::1';

  it.each([
    ['a resolver', denied[family], () => 53],
    ['the proxy itself', own, () => sockets.port],
  ])(
    'of datagrams to %s, the proxy gets what it would look at, and the sender no error',
    async (_, host, port) => {
      await loadNames();
      expect(await send(host, port(), 40)).toBe('');
      expect(await floods(denied[family])).toBe(40);
      await loadNames({ edit: slow, command: 'reload' });
      expect(await send(host, port(), 40)).toBe('');
      const count = await floods(denied[family]);
      expect(count).toBeGreaterThanOrEqual(BURST);
      expect(count).toBeLessThanOrEqual(BURST + 1);
    },
  );

  it('of connections, it gets so many as well', async () => {
    await loadNames({ edit: slow });
    const outcomes: string[] = [];
    for (const name of ['a', 'b', 'c', 'd'])
      outcomes.push(await agents.workload.open(name, denied[family], 53));
    expect(outcomes.slice(0, 2)).toEqual(['connected', 'connected']);
    expect(outcomes.at(-1)).toBe('silence');
    expect(await agents.workload.talk('a')).toBe(OURS);
  });
});

describe("at the socket that asks Docker's resolver", () => {
  const ask = (text: string) => sockets.docker.send(Buffer.from(text), 53, '127.0.0.11', () => {});
  const forge = (from: string, port: number) =>
    packet(workload, 'datagram', from, '127.0.0.1', String(port), String(sockets.dockerPort), 'forged');
  const answered = `table inet answered { chain output {
    type filter hook output priority 0; ip saddr 127.0.0.11 udp dport ${sockets.dockerPort} counter; }
  }`;

  it('nothing arrives that is no answer, and its questions are not led elsewhere', async () => {
    await loadNames({
      edit: (text) =>
        text.replace('    ip daddr 127.0.0.1 udp dport $dockerport ct direction original drop\n', ''),
    });
    expect(await forge('127.0.0.11', 53)).toBe('sent');
    await expect.poll(() => dockerAnswers).toEqual(['forged']);
    // It is the answer to what was forged, and Docker does not get it.
    ask('lost');
    const flow = () => workload.run('conntrack', ['-L', '-p', 'udp', '-s', '127.0.0.11']);
    await expect.poll(async () => (await flow()).stdout).not.toContain('UNREPLIED');
    expect(await agents.workload.received()).toBe('');
    await workload.run('conntrack', ['-F']);
    await loadNames({ command: 'reload' });
    for (const from of ['127.0.0.9', '127.0.0.11'])
      expect(await forge(from, 53)).toBe('Operation not permitted');
    ask('last');
    await expect.poll(() => dockerAnswers).toEqual(['forged', 'last']);
  });

  it('no more answers arrive than it would read', async () => {
    await loadNames({ edit: slow });
    await workload.run('nft', ['-f', '-'], { input: answered });
    for (let at = 0; at < 10; at++) ask(String(at));
    const counted = () => workload.run('nft', ['list', 'table', 'inet', 'answered']);
    await expect.poll(async () => (await counted()).stdout).toContain('packets 10 ');
    await loadNames({ command: 'reload' });
    ask('last');
    await expect.poll(() => dockerAnswers.at(-1)).toBe('last');
    expect(dockerAnswers.length - 1).toBeGreaterThanOrEqual(BURST);
    expect(dockerAnswers.length - 1).toBeLessThanOrEqual(BURST + 1);
  });
});

it('a program that binds the same ports gets nothing there', async () => {
  const ports = { '127.83.83.53': sockets.port, '::1': sockets.port, '127.0.0.1': sockets.dockerPort };
  const lines = [
    ...['import select, socket, sys', 'sockets = []'],
    ...Object.entries(ports).flatMap(([host, port]) => [
      `s = socket.socket(socket.${host.includes(':') ? 'AF_INET6' : 'AF_INET'}, socket.SOCK_DGRAM)`,
      's.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)',
      `s.bind(("${host}", ${port}))`,
      'sockets.append(s)',
    ]),
    ...['print("bound", flush=True)', 'is_open = True', 'while True:'],
    ' found = select.select(sockets + [sys.stdin] * is_open, [], [], None if is_open else 0)[0]',
    ...[' for s in found:', '  if s != sys.stdin: print(s.recv(99).decode(), flush=True)'],
    ...['  else: is_open = False', ' if not found: break'],
  ];
  const [command = '', ...prefix] = workload.prefix;
  const thief = spawn(command, [...prefix, 'python3', '-c', lines.join('\n')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let stolen = '';
  thief.stdout.on('data', (text) => {
    stolen += text;
  });
  const ask = async () => {
    for (const host of [denied.ipv4, denied.ipv6]) await send(host, 53, 1);
    sockets.docker.send(Buffer.from('docker'), 53, '127.0.0.11', () => {});
  };
  const came = `table inet came { chain input {
    type filter hook input priority -10; udp dport { ${sockets.port}, ${sockets.dockerPort} } counter; }
  }`;
  const counted = async () => (await workload.run('nft', ['list', 'table', 'inet', 'came'])).stdout;
  await expect.poll(() => stolen).toContain('bound');
  await loadNames({ edit: (text) => text.replace('    socket wildcard { 0, 1 } drop\n', '') });
  await ask();
  await expect.poll(() => stolen.split('\n').sort()).toEqual(['', 'bound', 'docker', 'flood', 'flood']);
  await workload.run('conntrack', ['-F']);
  await loadNames({ command: 'reload' });
  await workload.run('nft', ['-f', '-'], { input: came });
  await ask();
  await expect.poll(counted).toContain('packets 3 ');
  thief.stdin.end();
  await once(thief, 'exit');
  expect(stolen.match(/flood|docker/g)).toHaveLength(3);
  expect(arrived()).toEqual([]);
  expect(await agents.workload.ask(denied.ipv4, 53, 4201)).toBe(OURS);
});

it('the proxy is not told that a grant is taken when the table of connections is full', async () => {
  // As the kernel drops what it cannot track.
  const full = `table inet full_test {
    chain output { type filter hook output priority -150; udp dport ${sockets.port} ct state new drop; }
  }`;
  const unknown = () => sender.use({ secret: Buffer.from(SECRET, 'hex'), numbers: new Map([[TCP, 1]]) });
  await workload.run('nft', ['-f', '-'], { input: full });
  try {
    await loadNames({ edit: (text) => text.replaceAll(' notrack accept', ' accept') });
    unknown();
    expect(await grant(granted.ipv4)).toBe(true);
    await loadNames({ command: 'reload' });
    unknown();
    expect(await grant(granted.ipv4)).toBe(false);
    await expect.poll(arrived).toEqual(['00'.repeat(16)]);
  } finally {
    await workload.run('nft', ['delete', 'table', 'inet', 'full_test']);
  }
});

describe('a question with the address of another as its source', () => {
  const PASS = 'type filter hook output priority filter; policy accept; accept';
  const FILTER = 'type filter hook output priority filter; policy drop;';
  const ask = () => packet(workload, 'datagram', granted.ipv4, denied.ipv4, String(PORT), '53', 'x');
  const loadWithout = (text: string, instead = '') =>
    loadNames({ command: 'reload', edit: (whole) => whole.replace(text, instead) });

  it('is not answered there: it does not come to the proxy, and the answer would not leave', async () => {
    // Otherwise the kernel itself sends nothing from a loopback address.
    await workload.run('sysctl', ['-qw', 'net.ipv4.conf.all.route_localnet=1']);
    await loadNames();
    await loadWithout(FILTER, PASS);
    expect(await ask()).toBe('sent');
    await expect.poll(() => agents.granted.received()).toBe(OURS);
    await workload.run('conntrack', ['-F']);
    await loadWithout('    fib saddr type != local goto spoofed\n');
    expect(arrived()).toHaveLength(1);
    expect(await ask()).toBe('sent');
    await expect.poll(() => arrived().length).toBe(1);
    await workload.run('conntrack', ['-F']);
    await loadNames({ command: 'reload' });
    expect(await ask()).toBe('Operation not permitted');
    expect(await agents.granted.received()).toBe('');
    expect(arrived()).toEqual([]);
  });
});
