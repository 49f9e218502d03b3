/**
 * Rules by name in a real kernel: what a sealed datagram grants, and nothing else, can be reached; all questions come to
 * the proxy.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { grantDatagram } from '../../src/policy/name-seal.ts';
import { address } from '../unit/features/names/names.ts';
import { denied, destinations, netns, PORT } from './fixture.ts';
import { held, NUMBERS, OURS, TCP, UDP, useNames } from './names-fixture.ts';
import { ruleSet } from './rules.ts';

const {
  workload,
  granted,
  denied: other,
  agents,
  sockets,
  grant,
  remove,
  loadNames,
  arrived,
  reset,
  sender,
} = await useNames();
await agents.denied.serve(53);

const SETTLED = { timeout: 20_000 };
/** In the moments after a load nobody is answered, thereafter the program is told. */
const DENIED = /^(?:silence|ECONNREFUSED|EPERM|EACCES|EHOSTUNREACH|ENETUNREACH)$/;
const open = (name: string, to: string, port = PORT) => agents.workload.open(name, to, port);
const state = async () => (await netns(workload, 'state egress')).stdout;

beforeEach(reset);

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const [to, elsewhere] = [granted[family], other[family]];

  it('a granted address can be reached at the ports of its class, and no other', async () => {
    await loadNames();
    expect(await open('x', to)).toMatch(DENIED);
    expect(await grant(to)).toBe(true);
    expect(await open('y', to)).toBe('connected');
    expect(await open('z', elsewhere)).toMatch(DENIED);
    expect(await agents.workload.ask(to, PORT, 4000)).toMatch(DENIED);
    expect(await grant(to, UDP)).toBe(true);
    expect(await agents.workload.ask(to, PORT, 4001)).toBe('hello');
  });

  it('a flow outlives its grant, and a new one is denied', async () => {
    await loadNames();
    await grant(to);
    expect(await open('live', to)).toBe('connected');
    expect(await remove(to)).toBe(true);
    expect(await agents.workload.talk('live')).toBe('hello');
    expect(await open('new', to)).toMatch(DENIED);
  });

  it('in the moments after a load, when a set may be empty, a new connection to its ports gets no answer', async () => {
    await loadNames({ edit: (text) => text.replaceAll('$settled', '4000000000') });
    expect(await open('x', to)).toBe('silence');
    expect(await open('y', to, 853)).toMatch(/ECONNREFUSED|EPERM/);
  });

  it('another text takes over grants, and does not touch flows by name', async () => {
    await loadNames();
    for (const one of [to, elsewhere]) await grant(one);
    expect([await open('live', to), await open('other', elsewhere)]).toEqual(['connected', 'connected']);
    await loadNames({
      input: { allowed: ruleSet('192.0.2.1:tcp/1') },
      held: { granted: [held(to)] },
      command: 'reload',
    });
    expect([await agents.workload.talk('live'), await agents.workload.talk('other')]).toEqual([
      'hello',
      'hello',
    ]);
    expect(await open('new', to)).toBe('connected');
    expect(await open('gone', elsewhere)).toMatch(DENIED);
  });

  it('another secret ends the flows of what has gone, and only those', async () => {
    await loadNames();
    for (const one of [to, elsewhere]) await grant(one);
    expect([await open('kept', to), await open('gone', elsewhere)]).toEqual(['connected', 'connected']);
    const secret = 'ff'.repeat(16);
    await loadNames({ secret, held: { kept: [held(to)] }, command: 'reload' });
    expect(await agents.workload.talk('kept')).toBe('hello');
    await expect.poll(() => agents.workload.talk('gone'), SETTLED).toBe('ECONNRESET');
    expect(await open('new', to)).toMatch(DENIED);
  });

  it('questions to any resolver come to the proxy, over UDP and TCP', async () => {
    await loadNames({ resolvers: [granted[family]] });
    for (const resolver of [to, elsewhere]) {
      expect(await agents.workload.ask(resolver, 53, 4002)).toBe(OURS);
      expect(await open('tcp', resolver, 53)).toBe('connected');
      expect(await agents.workload.talk('tcp')).toBe(OURS);
    }
    expect(await agents.denied.received()).toBe('');
    expect(await open('tls', elsewhere, 853)).toMatch(DENIED);
  });

  it('a resolver that an address rule grants is asked directly, unless it is one of the namespace', async () => {
    const allowed = ruleSet(`${family === 'ipv6' ? `[${elsewhere}]` : elsewhere}:udp/53`);
    await loadNames({ input: { allowed } });
    await expect.poll(() => agents.workload.ask(elsewhere, 53, 4003), SETTLED).toBe('hello');
    await loadNames({ input: { allowed }, resolvers: [elsewhere] });
    expect(await agents.workload.ask(elsewhere, 53, 4004)).toBe(OURS);
  });

  it('a flow that is older than the rules is redirected too', async () => {
    await workload.run('nft', ['-f', '-'], {
      input: 'table inet tracks { chain c { type filter hook output priority 0; ct state new counter; }; }\n',
    });
    expect(await agents.workload.ask(elsewhere, 53, 4005)).toBe('hello');
    await loadNames();
    expect(await agents.workload.ask(elsewhere, 53, 4005)).toBe(OURS);
    await workload.run('nft', ['delete', 'table', 'inet', 'tracks']);
  });
});

describe('a datagram', () => {
  /** EPERM, or what came back of the secret. */
  const send = async (bytes: Uint8Array): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    sockets.docker.send(bytes, sockets.port, '127.83.83.53', (error) => resolve(error?.message));
    const error = await promise;
    return error ?? waitFor(() => arrived()[0], { what: 'the datagram' });
  };
  const bytesOf = (secret: string, number: number, seconds = 60) =>
    grantDatagram(Buffer.from(secret, 'hex'), number, address(granted.ipv4), seconds);
  const RIGHT = '00112233445566778899aabbccddeeff';

  it('with another secret grants nothing', async () => {
    await loadNames();
    const wrong = RIGHT.replace(/f$/, 'e');
    expect(await send(bytesOf(wrong, NUMBERS.get(TCP) ?? 0))).toBe(wrong);
    expect(await open('x', granted.ipv4)).toMatch(DENIED);
  });

  it('that the kernel cannot obey comes back without the secret', async () => {
    await loadNames();
    expect(await send(bytesOf(RIGHT, 1))).toBe('00'.repeat(16));
    expect(await send(bytesOf(RIGHT, NUMBERS.get(TCP) ?? 0))).toMatch(/EPERM/);
  });
});

it('elements do not count as drift, and kept addresses do', async () => {
  await loadNames({ held: { kept: [held(granted.ipv4)] } });
  const before = await state();
  await grant(granted.ipv4);
  await sender.sayAlive();
  expect(await state()).toBe(before);
  await workload.run('nft', [
    'add',
    'element',
    'inet',
    'egresstrator_egress',
    `kept4_${NUMBERS.get(TCP)}`,
    '{ 0xc0000209 }',
  ]);
  expect(await state()).not.toBe(before);
});

it('loads at the start of a container, as the gate does it', async () => {
  expect(await loadNames({ command: 'begin' })).toMatch(/^fingerprint /);
  expect(await grant(granted.ipv4)).toBe(true);
  expect(await open('x', granted.ipv4)).toBe('connected');
});

it('in audit all passes and is recorded; questions come to the proxy while it is there', async () => {
  await loadNames({ input: { mode: 'audit' } });
  expect(await agents.workload.ask(other.ipv4, 53, 4006)).toBe('hello');
  expect(await sender.sayAlive()).toBe(true);
  expect(await agents.workload.ask(other.ipv4, 53, 4007)).toBe(OURS);
  expect(await open('x', other.ipv4)).toBe('connected');
  await grant(granted.ipv4);
  expect(await open('y', granted.ipv4)).toBe('connected');
  expect((await destinations(workload)).some((one) => one.startsWith(`${other.ipv4} tcp ${PORT}`))).toBe(
    true,
  );
  expect((await denied(workload)).destinations.map((one) => one.address)).not.toContain(granted.ipv4);
});

/** Connects over and over until it is told to end, and prints the errors. */
const CONNECTING = `
import select, socket, sys
count = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    s = socket.socket()
    s.settimeout(20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
    try: s.connect((sys.argv[1], int(sys.argv[2])))
    except OSError as e: print(e)
    s.close()
    count += 1
print(count)
`;

it('no connection to a granted address is denied while texts are loaded', async () => {
  const texts = ['192.0.2.1', '192.0.2.2'].map((one) => ({ allowed: ruleSet(`${one}:tcp/1`) }));
  await loadNames();
  await grant(granted.ipv4);
  const [command = '', ...prefix] = workload.prefix;
  const python = [...prefix, 'python3', '-c', CONNECTING, granted.ipv4, String(PORT)];
  const connecting = spawn(command, python, { stdio: ['pipe', 'pipe', 'inherit'] });
  const output = text(connecting.stdout);
  for (let loads = 0; loads < 20; loads++) {
    const input = texts[loads % 2] ?? {};
    await loadNames({ input, held: { granted: [held(granted.ipv4)] }, command: 'reload' });
  }
  connecting.stdin.end();
  expect((await output).trim()).toMatch(/^\d{3,}$/);
});
