/**
 * The proxy of names with real sockets in real namespaces: what a workload asks there is answered, and what it is
 * answered is granted in the kernel. The resolver is on loopback; nothing leaves the machine.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packet from 'dns-packet';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { waitFor } from '../../lab/wait.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { framed, splitMessages } from '../../src/dns/stream.ts';
import { NameProxy } from '../../src/name-proxy/name-proxy.ts';
import type { NamespaceNames } from '../../src/name-proxy/namespace-names.ts';
import { openSockets } from '../../src/name-proxy/open-sockets.ts';
import { prepareCgroup } from '../../src/name-proxy/proxy-cgroup.ts';
import { numberClasses, policyOf } from '../unit/features/names/names.ts';
import { formatAnswer, questionBytes } from '../unit/name-proxy/messages.ts';
import { answerBytes, startNameServer } from '../unit/name-proxy/name-servers.ts';
import { namesText, startAsker } from './name-askers.ts';

const set = await createNamespaces(2);
const [workload, other] = set.namespaces;
if (workload === undefined || other === undefined) throw new Error('too few');
const asker = startAsker(workload);
await workload.run('ip', ['route', 'add', 'default', 'via', other.ipv4]);
await workload.run('ip', ['-6', 'route', 'add', 'default', 'via', other.ipv6]);

/** `a-1-2-3-4.x.test` has the address 1.2.3.4, `many.x.test` has 100, and nobody answers for `silent.x.test`. */
const MANY = Array.from({ length: 100 }, (_, index) => `23.1.2.${index}`);
const upstream = await startNameServer((one) => {
  const [first = ''] = one.name.split('.');
  if (first === 'silent') return;
  if (first === 'many') one.answer(answerBytes(one, [], packet.TRUNCATED_RESPONSE));
  else one.answer(answerBytes(one, [first.slice(2).replaceAll('-', '.')]));
}, MANY);

const cgroup = prepareCgroup();
const settings = {
  ...{ upstream: () => [upstream.endpoint], consul: () => undefined, cgroup, now: Date.now },
  onDefect: (error: unknown) => {
    throw error;
  },
};
const proxy = new NameProxy({
  ...settings,
  limits: { unanswered: 64, fresh: { perMinute: 10_000, memory: 10_000 } },
});

afterAll(async () => {
  proxy.closeAll();
  upstream.close();
  await asker[Symbol.asyncDispose]();
  await set.dispose();
});

const refOf = ({ name }: Namespace): NamespaceRef => ({
  ...{ name, sandbox: `/run/netns/${name}`, pid: 2 ** 22 + 1, containerId: 'none' },
  startedAt: new Date().toISOString(),
});
const RULES = ['*.x.test:tcp/443'];
const NUMBERS = numberClasses(policyOf(RULES).index.rules);
const [NUMBER = 0] = NUMBERS.values();
const RESOLVERS = ['8.8.8.8', '2001:db8:8::8'] as const;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const question = (name: string, id = 7, size = 0): string => hex(questionBytes(name, id, 'A', size));
/** Without lifetimes: some answers are of the cache. */
const format = (bytes: Uint8Array): string => formatAnswer(bytes).replace(/(?<=\.\d+) \d+/g, '');
const answersOf = (answers: readonly string[]) => answers.map((one) => format(Buffer.from(one, 'hex')));
const ask = async (...names: readonly string[]) =>
  answersOf(
    await asker.udp(
      RESOLVERS[0],
      53,
      names.map((name, index) => question(name, index)),
      10_000,
    ),
  );
const overTcp = async (host: string, pieces: readonly Uint8Array[]) => {
  const stream = Buffer.from(await asker.tcp(host, 53, pieces.map(hex)), 'hex');
  return splitMessages(stream, 1_000).messages.map(format);
};

/** Granted in the kernel of the first class. */
const granted = async (): Promise<readonly string[]> => {
  const { stdout } = await workload.run('nft', ['list', 'set', 'inet', 'names_test', `names4_${NUMBER}`]);
  return [...stdout.matchAll(/(\d+\.\d+\.\d+\.\d+) (?:timeout|expires)/g)].map(([, to = '']) => to).sort();
};

/** Loads as the controller does. */
async function load(names: NamespaceNames, more: Parameters<typeof namesText>[3] = {}): Promise<void> {
  await names.hold();
  const { secret, granted: held } = names.text();
  const elements = held.map(({ address, seconds }) => {
    const octets = [24n, 16n, 8n, 0n].map((bits) => (address.address >> bits) & 255n);
    return `${octets.join('.')} timeout ${seconds}s`;
  });
  const input = namesText(names.port, secret, [NUMBER], { elements: elements.join(', '), ...more });
  await workload?.run('nft', ['-f', '-'], { input });
  names.resume(NUMBERS);
}

describe('the sockets', () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;

  it('are at the wanted port, at another one if a workload has it, and gone when they are closed', async () => {
    const before = descriptors();
    const first = await openSockets(refOf(workload));
    const { port, dockerPort } = first;
    await waitFor(() => descriptors() === before + 6, { what: 'the end of the child' });
    first.close();
    await waitFor(() => descriptors() === before, { what: 'the descriptors' });
    const same = await openSockets(refOf(workload), { port, dockerPort });
    expect([same.port, same.dockerPort]).toEqual([port, dockerPort]);
    same.close();
    const taken = await asker.bind('0.0.0.0', 0);
    const moved = await openSockets(refOf(workload), { port: Number(taken), dockerPort: Number(taken) });
    expect(moved.port).not.toBe(Number(taken));
    expect(moved.dockerPort).not.toBe(Number(taken));
    moved.close();
  });

  it('of TCP cannot be joined by a workload, also with options that share ports', async () => {
    const sockets = await openSockets(refOf(workload));
    const lines = [
      'import socket',
      'for host in ("127.83.83.53", "0.0.0.0", "::1", "::"):',
      ' s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)',
      ' for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT): s.setsockopt(socket.SOL_SOCKET, option, 1)',
      ` try: s.bind((host, ${sockets.port})); s.listen(); print("shared")`,
      ' except OSError as e: print(e.strerror)',
    ];
    const { stdout } = await workload.run('python3', ['-c', lines.join('\n')]);
    sockets.close();
    expect(stdout.trim().split('\n')).toEqual(Array.from({ length: 4 }, () => 'Address already in use'));
  });

  it('are those of IPv4 alone without IPv6', async () => {
    await other.run('ip', ['-6', 'address', 'del', '::1/128', 'dev', 'lo']);
    const sockets = await openSockets(refOf(other));
    expect([sockets.udp.length, sockets.tcp.length]).toEqual([1, 1]);
    sockets.close();
  });

  it('belong to the cgroup, which no socket of a workload does', async () => {
    const sockets = await openSockets(refOf(workload), { cgroup: cgroup.processes });
    const match = `socket cgroupv2 level ${cgroup.level} "${cgroup.path}"`;
    await workload.run('nft', ['-f', '-'], {
      input: `table inet cgroup_test { counter ours { }; counter each { }
        chain output { type filter hook output priority 0; udp dport 9 counter name each; udp dport 9 ${match} counter name ours; }
        }`,
    });
    await new Promise((resolve) => sockets.docker.send(Buffer.from('x'), 9, '127.0.0.1', resolve));
    await asker.udp('127.0.0.1', 9, ['00'], 1);
    const { stdout } = await workload.run('nft', ['list', 'counters']);
    expect([...stdout.matchAll(/counter (\w+) \{\s+packets (\d+)/g)].map(([, ...one]) => one)).toEqual([
      ['ours', '1'],
      ['each', '2'],
    ]);
    await workload.run('nft', ['delete', 'table', 'inet', 'cgroup_test']);
    sockets.close();
  });

  it('are not opened in the host’s own namespace, nor where no process is', async () => {
    const gone = { ...refOf(workload), sandbox: undefined };
    await expect(openSockets(gone)).rejects.toThrow(
      `Could not serve names in ${workload.name}: its process is not there any more.`,
    );
    const host = { ...refOf(workload), sandbox: '/proc/self/ns/net' };
    await expect(openSockets(host)).rejects.toThrow("it is in the host's own network namespace");
  });

  it('are closed, and the child is killed, if it does not pass them all in time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'egt-sockets-'));
    const program = join(folder, 'slow.mjs');
    const pid = join(folder, 'pid');
    const start = `import { createServer } from 'node:net'; import { writeFileSync } from 'node:fs';
      writeFileSync(${JSON.stringify(pid)}, String(process.pid));`;
    const before = descriptors();
    const attempt = (text: string, limit: number) => {
      writeFileSync(program, start + text);
      return openSockets(refOf(workload), {}, { program, limit });
    };
    const passOne = `const server = createServer().listen(0, () => process.send({ kind: 'tcp' }, server, () => {`;
    await expect(attempt(`${passOne} setInterval(() => {}, 1000); }));`, 2_000)).rejects.toThrow(
      'longer than 2 s',
    );
    await waitFor(() => !isRunning(readFileSync(pid, 'utf8')), { what: 'its end' });
    await expect(attempt(`${passOne} process.exit(3); }));`, 20_000)).rejects.toThrow('ended with 3');
    const done = `process.send({ kind: 'done', port: 1, dockerPort: 1, hasIpv6: false }); setInterval(() => {}, 1000);`;
    await expect(attempt(done, 20_000)).rejects.toThrow('did not send all sockets');
    await expect(attempt('throw new Error("no way");', 20_000)).rejects.toThrow('no way');
    await waitFor(() => descriptors() === before, { what: 'the descriptors' });
    rmSync(folder, { recursive: true });
  });
});

/** Binds a port, keeps it in a process of its own, and prints that process. */
const TAKE = `
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.83.83.53", int(sys.argv[1])))
pid = os.fork()
if pid: print(pid)
else:
 os.close(1); os.close(2); time.sleep(60)
`;

const isRunning = (pid: string): boolean => readdirSync('/proc').includes(pid.trim());

describe('a workload', () => {
  let names: NamespaceNames;
  beforeEach(async () => {
    names = await proxy.open('workload', { namespace: refOf(workload), policy: policyOf(RULES) });
    await load(names);
  });

  it.each(RESOLVERS)('is answered over UDP and TCP, whatever resolver it asks (%s)', async (resolver) => {
    const udp = await asker.udp(resolver, 53, [question('a-1-1-1-1.x.test')], 10_000);
    expect(answersOf(udp)).toEqual(['NOERROR 1.1.1.1']);
    expect(await overTcp(resolver, [framed(questionBytes('a-1-1-1-2.x.test'))])).toEqual(['NOERROR 1.1.1.2']);
    expect(answersOf(await asker.udp(resolver, 53, [question('evil.test')], 10_000))).toEqual(['REFUSED']);
    expect(await granted()).toEqual(['1.1.1.1', '1.1.1.2']);
  });

  it('has each address granted when the answer comes, for its lifetime and the grace', async () => {
    expect(await ask('a-1-1-1-1.x.test')).toEqual(['NOERROR 1.1.1.1']);
    const { stdout } = await workload.run('nft', ['list', 'set', 'inet', 'names_test', `names4_${NUMBER}`]);
    expect(stdout).toMatch(/1\.1\.1\.1 timeout 6m expires 5m5\d/);
  });

  it('gets what fits over UDP, and all over TCP', async () => {
    expect((await ask('many.x.test'))[0]).toMatch(/^NOERROR truncated( 23\.1\.2\.\d+){30}$/);
    const large = await asker.udp(RESOLVERS[0], 53, [question('many.x.test', 1, 4_096)], 10_000);
    const all = `NOERROR ${MANY.join(' ')}`;
    expect(answersOf(large)).toEqual([all]);
    expect(await overTcp(RESOLVERS[0], [framed(questionBytes('many.x.test'))])).toEqual([all]);
    expect(await granted()).toEqual([...MANY].sort());
  });

  it('may send questions over TCP at once, byte by byte, and end its side', async () => {
    const two = ['a-1-1-1-1.x.test', 'a-1-1-1-2.x.test'].map((name) => framed(questionBytes(name)));
    const bytes = [...Buffer.concat(two)].map((byte) => Uint8Array.of(byte));
    for (const pieces of [[Buffer.concat(two)], bytes])
      expect((await overTcp(RESOLVERS[0], pieces)).toSorted()).toEqual([
        'NOERROR 1.1.1.1',
        'NOERROR 1.1.1.2',
      ]);
  });

  it('has what it knows over many loads, and each answer is granted, whenever it was asked', async () => {
    const wanted = Array.from({ length: 400 }, (_, index) => `1.2.${index >> 8}.${index & 255}`);
    const nameOf = (to: string) => `a-${to.replaceAll('.', '-')}.x.test`;
    let isAsking = true;
    const loading = (async () => {
      let loads = 0;
      for (; isAsking; loads++) await load(names);
      return loads;
    })();
    const answers: string[] = [];
    for (let at = 0; at < wanted.length; at += 40)
      answers.push(...(await ask(...wanted.slice(at, at + 40).map(nameOf))));
    isAsking = false;
    expect(await loading).toBeGreaterThan(3);
    expect(answers.toSorted()).toEqual(wanted.map((to) => `NOERROR ${to}`).toSorted());
    expect(await granted()).toEqual(wanted.toSorted());
  });

  it('loses what it has when the rule goes', async () => {
    await ask('a-1-1-1-1.x.test', 'a-1-1-1-2.x.test');
    names.changePolicy(policyOf(['a-1-1-1-2.x.test:tcp/443']));
    await waitFor(async () => (await granted()).join() === '1.1.1.2', { what: 'the removal' });
    expect(await ask('a-1-1-1-1.x.test')).toEqual(['REFUSED']);
  });

  it('gets failures when the kernel has no room, and answers to what is granted', async () => {
    await load(names, { size: 2 });
    expect(await ask('a-1-1-1-1.x.test')).toEqual(['NOERROR 1.1.1.1']);
    expect(await ask('a-1-1-1-2.x.test')).toEqual(['NOERROR 1.1.1.2']);
    const { secret } = names;
    expect(await ask('a-1-1-1-3.x.test')).toEqual(['SERVFAIL']);
    expect(await granted()).toEqual(['1.1.1.1', '1.1.1.2']);
    expect(names.report().reasons).toEqual(['the kernel does not take grants']);
    expect(await ask('a-1-1-1-1.x.test')).toEqual(['NOERROR 1.1.1.1']);
    await names.hold();
    expect(names.secret).toEqual(secret);
    names.resume();
  });

  it('gets failures when the rules are gone, and another secret is used from then on', async () => {
    const { secret } = names;
    await workload.run('nft', ['delete', 'table', 'inet', 'names_test']);
    const direct = await asker.udp('127.83.83.53', names.port, [question('a-1-1-1-1.x.test')], 10_000);
    expect(answersOf(direct)).toEqual(['SERVFAIL']);
    await waitFor(() => names.report().state === 'unavailable', { what: 'its report' });
    await load(names);
    expect(names.secret).not.toEqual(secret);
    expect(await ask('a-1-1-1-1.x.test')).toEqual(['NOERROR 1.1.1.1']);
    expect(await granted()).toEqual(['1.1.1.1']);
  });

  it('that has taken the port while nobody served it does not see the secret', async () => {
    await ask('a-1-1-1-1.x.test');
    const { port } = names;
    const adopted = names.adoptable();
    proxy.close('workload');
    const { stdout } = await workload.run('python3', ['-c', TAKE, String(port)]);
    const pid = Number(stdout.trim());
    try {
      const wanted = { namespace: refOf(workload), policy: policyOf(RULES), port, adopted };
      const moved = await proxy.open('workload', wanted);
      expect(moved.port).not.toBe(port);
      for (let times = 0; times < 10; times++) moved.tick();
      await asker.udp('127.83.83.53', moved.port, ['00'], 300);
      // What arrives with the secret would end it.
      expect([moved.report().state, moved.secret]).toEqual(['waiting', adopted?.secret]);
      await load(moved);
      expect(await ask('a-1-1-1-2.x.test')).toEqual(['NOERROR 1.1.1.2']);
      expect(await granted()).toEqual(['1.1.1.1', '1.1.1.2']);
    } finally {
      process.kill(pid);
    }
  });

  it('cannot grant by itself, and its guesses are malformed questions', async () => {
    const guess = `${'00'.repeat(16)}0000040301020304`;
    await asker.udp('127.83.83.53', names.port, [guess], 100);
    expect(await granted()).toEqual([]);
    expect(names.report().counts.malformed).toBe(1);
  });

  it('may ask a resolver on its link: the source of its question is of another namespace than ours', async () => {
    const { stdout } = await other.run('ip', [
      '-6',
      '-o',
      'address',
      'show',
      'dev',
      other.device,
      'scope',
      'link',
    ]);
    const [, linkLocal = ''] = /inet6 (fe80::[\da-f:]+)/.exec(stdout) ?? [];
    await asker.udp(`${linkLocal}%${workload.device}`, 53, [question('a-1-1-1-1.x.test')], 300);
    expect(await ask('a-1-1-1-2.x.test')).toEqual(['NOERROR 1.1.1.2']);
  });

  it("is not granted what it answers itself in the place of Docker's resolver", async () => {
    const local = {
      localResolver: ([first]: readonly string[]) => (first === 'db' ? 'docker' : undefined),
    } as const;
    names.changePolicy(policyOf(['db.x.test@10.0.0.0/8:tcp/443', ...RULES], local));
    await asker.answer('127.0.0.11', 53, '10.0.0.66');
    expect(await ask('db.x.test')).toEqual(['NOERROR 10.0.0.66']);
    expect(await granted()).toEqual([]);
    expect(names.report().denied.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'db.x.test 10.0.0.66: rules by name grant no address of a container; name it in a rule by address or service',
    ]);
  });

  it('that floods gets failures, and another one is answered meanwhile', async () => {
    const second = await proxy.open('other', { namespace: refOf(other), policy: policyOf(RULES) });
    const asking = startAsker(other);
    await other.run('nft', ['-f', '-'], { input: namesText(second.port, second.secret, [NUMBER]) });
    second.resume(NUMBERS);
    const flood = asker.flood(RESOLVERS[0], 53, question('silent.x.test'), 2_000);
    const host = '127.83.83.53';
    for (let times = 0; times < 20; times++) {
      const to = `a-1-1-2-${times}.x.test`;
      expect(answersOf(await asking.udp(host, second.port, [question(to)], 10_000))).toEqual([
        `NOERROR 1.1.2.${times}`,
      ]);
    }
    expect(Number(await flood)).toBeGreaterThan(1_000);
    expect(names.work.unanswered).toBeLessThanOrEqual(64);
    expect(names.work.dropped).toBeGreaterThan(100);
    expect(upstream.asked.filter(({ name }) => name === 'silent.x.test').length).toBeLessThan(10);
    proxy.close('other');
    await asking[Symbol.asyncDispose]();
  });
});
