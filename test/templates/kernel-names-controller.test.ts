/**
 * Rules by name with a whole controller on real namespaces: under load, while rules are loaded, after its state was lost,
 * and in many namespaces at once.
 */
import packet from 'dns-packet';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createNamespaces } from '../../lab/netns.ts';
import { run } from '../../lab/run.ts';
import { waitFor } from '../../lab/wait.ts';
import { openSockets } from '../../src/name-proxy/open-sockets.ts';
import { formatAnswer, questionBytes } from '../unit/name-proxy/messages.ts';
import { startNameServer } from '../unit/name-proxy/name-servers.ts';
import { startAgent } from './agents.ts';
import { netns } from './fixture.ts';
import type { RaceResult } from './name-asker.ts';
import { startAsker } from './name-askers.ts';
import { type NamesHost, type NamesHostOptions, startNamesHost, workloadIn } from './names-host.ts';

/** Names of the race. */
const NAMES = Number(process.env.EGRESSTRATOR_NAMES_RACE ?? 1_000);
const ROUND = 250;
/** Namespaces that start at once. */
const MANY = Number(process.env.EGRESSTRATOR_NAMES_MANY ?? 12);

const PORT = 8080;
const RESOLVER = '8.8.8.8';
const [FIRST, SECOND, FAR] = ['23.1.0.1', '23.1.0.2', '23.200.1.1'];
const RULE = `*.x.test:tcp/${PORT}`;

const set = await createNamespaces(2);
const [workload, internet] = set.namespaces;
if (workload === undefined || internet === undefined) throw new Error('too few namespaces');
const asker = startAsker(workload);
const racer = startAsker(workload);
const agents = { workload: startAgent(workload), internet: startAgent(internet) };

/** `a-23-1-0-1.x.test` is 23.1.0.1; other names are as a test says. */
const addresses = new Map<string, string>();
let ttl = 60;
const upstream = await startNameServer(({ id, name, answer }) => {
  const [first = ''] = name.split('.');
  const data = addresses.get(name) ?? first.slice('a-'.length).replaceAll('-', '.');
  answer(
    packet.encode({
      ...{ type: 'response', id, flags: packet.RECURSION_AVAILABLE, questions: [{ type: 'A', name }] },
      answers: [{ type: 'A', name, ttl, data }],
    }),
  );
});

const addressAt = (index: number): string => `23.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
const nameOf = (address: string, zone: string): string => `a-${address.replaceAll('.', '-')}.${zone}`;
const questionFor = (name: string): string => Buffer.from(questionBytes(name)).toString('hex');
const ask = async (name: string): Promise<string> => {
  const [answer = ''] = await asker.udp(RESOLVER, 53, [questionFor(name)], 5_000);
  return answer === '' ? 'silence' : formatAnswer(Buffer.from(answer, 'hex')).replace(/ \d+$/, '');
};
const becomes = (what: string, isSo: () => Promise<boolean>) => waitFor(isSo, { what });
const answered = (name: string, address: string) =>
  becomes(`an answer for ${name}`, async () => (await ask(name)) === `NOERROR ${address}`);
const connects = async (address: string): Promise<boolean> =>
  (await agents.workload.open('x', address, PORT)) === 'connected';
const reaches = (address: string) => becomes(`a connection to ${address}`, () => connects(address));
const keeps = (flow: string, address: string) =>
  becomes(
    `a connection to ${address}`,
    async () => (await agents.workload.open(flow, address, PORT)) === 'connected',
  );
const denied = async (address: string): Promise<void> => {
  await becomes(`${address} to be taken out`, async () => !(await isGranted(address)));
  expect(await connects(address)).toBe(false);
};
/** Whether the kernel has it among what names lead to, and not only among what flows may go on to. */
const isGranted = async (address: string): Promise<boolean> => {
  const { stdout } = await workload.run('nft', ['list', 'table', 'inet', 'egresstrator_egress']);
  const digits = address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('');
  return [...stdout.matchAll(/set names4_\d+ \{[^}]*elements = \{([^}]*)\}/g)].some(([, elements = '']) =>
    elements.includes(`0x${digits}`),
  );
};
const handles = async () =>
  (await workload.run('nft', ['-s', '-a', '-t', 'list', 'table', 'inet', 'egresstrator_egress'])).stdout;

const start = (more: Partial<NamesHostOptions> = {}): NamesHost =>
  startNamesHost({ upstream: upstream.endpoint, ...more }, workloadIn(workload));
const put = ({ consul }: NamesHost, ...lines: readonly string[]) => consul.put({ api: lines.join('\n') });

beforeAll(async () => {
  await workload.run('ip', ['route', 'add', 'default', 'via', internet.ipv4]);
  // Each of these addresses is there, and listens.
  await internet.run('ip', ['route', 'add', 'local', '23.0.0.0/8', 'dev', 'lo']);
  await agents.internet.serve(PORT);
});

beforeEach(async () => {
  await netns(workload, 'clear');
  await agents.workload.close();
});

afterAll(async () => {
  upstream.close();
  for (const one of [asker, racer, ...Object.values(agents)]) await one[Symbol.asyncDispose]();
  await set.dispose();
});

it('each new name can be connected to when its answer comes, while rules and names change, and nothing else', async () => {
  const host = start();
  put(host, RULE);
  await host.answering(workload.name);
  await answered('a-23-1-0-1.x.test', FIRST);
  await keeps('live', FIRST);
  const others = Array.from({ length: 250 }, (_, index) => `23.200.0.${index}`);
  const raceFrom = (first: number) => {
    const names = Array.from({ length: ROUND }, (_, index) => nameOf(addressAt(first + index), 'x.test'));
    const course = { resolver: RESOLVER, port: PORT, atOnce: 32, others };
    return racer.race({ ...course, questions: names.map(questionFor) });
  };
  // While nothing is loaded, a connection that comes before its grant is denied with an error, and not repeated.
  await becomes('an error', async () => (await agents.workload.open('x', FAR, PORT)) === 'ECONNREFUSED');
  const results = [await raceFrom(0)];
  let [edits, loads, isRacing] = [0, 0, true];
  const gone: string[] = [];
  let current: string[] = [];
  const edit = () => put(host, RULE, ...current, `192.0.2.1:tcp/${++edits}`);
  /** Other addresses are allowed, so another text is loaded, again and again. */
  const loading = (async () => {
    for (let before = await handles(); isRacing; before = await handles(), loads++) {
      edit();
      await becomes('another text', async () => (await handles()) !== before);
    }
  })();
  /** Names come and go. */
  const changing = (async () => {
    for (let number = 1; isRacing; number++) {
      const address = `23.100.${number >> 8}.${number & 255}`;
      const name = nameOf(address, 'y.test');
      current = [`${name}:tcp/${PORT}`];
      edit();
      await answered(name, address);
      await reaches(address);
      const [last] = gone.slice(-1);
      if (last !== undefined) await denied(last);
      gone.push(address);
    }
  })();
  for (let at = ROUND; at < NAMES || gone.length < 4 || loads < 4; at += ROUND)
    results.push(await raceFrom(at));
  isRacing = false;
  await Promise.all([loading, changing]);
  const sum = (of: (one: RaceResult) => number) => results.reduce((all, one) => all + of(one), 0);
  process.stdout.write(
    `measured: ${sum(({ connected }) => connected)} new names, ${loads} loads, ${gone.length} names that went\n`,
  );
  expect(results.flatMap(({ refused, reached }) => [...refused, ...reached])).toEqual([]);
  expect(sum(({ connected }) => connected)).toBeGreaterThanOrEqual(NAMES);
  for (const address of gone.slice(-20, -1))
    expect([address, await connects(address)]).toEqual([address, false]);
  expect(await agents.workload.talk('live')).toBe('hello');
}, 600_000);

it('a connection outlives the lifetime of its address and a rotation, and ends with its name', async () => {
  ttl = 0;
  addresses.set('turns.x.test', FIRST);
  const host = start({ grace: 1 });
  put(host, `turns.x.test:tcp/${PORT}`, `other.x.test:tcp/${PORT}`);
  await host.answering(workload.name);
  // A slow machine may need another answer: each counts for a second.
  const asksAndKeeps = (flow: string, address: string) =>
    becomes(`a connection to ${address}`, async () => {
      await answered('turns.x.test', address);
      return (await agents.workload.open(flow, address, PORT)) === 'connected';
    });
  await asksAndKeeps('live', FIRST);
  addresses.set('turns.x.test', SECOND);
  await denied(FIRST);
  await asksAndKeeps('second', SECOND);
  await denied(SECOND);
  const talk = async () => [await agents.workload.talk('live'), await agents.workload.talk('second')];
  expect(await talk()).toEqual(['hello', 'hello']);
  // Another text.
  const before = await handles();
  put(host, `turns.x.test:tcp/${PORT}`, '192.0.2.1:tcp/1');
  await becomes('another text', async () => (await handles()) !== before);
  expect(await talk()).toEqual(['hello', 'hello']);
  expect([await connects(FIRST), await connects(SECOND)]).toEqual([false, false]);
  put(host, `other.x.test:tcp/${PORT}`);
  await becomes('the end of both', async () => (await talk()).every((one) => one !== 'hello'));
  ttl = 60;
});

it.each([
  ['its record of names', true],
  ['all of its state', false],
])('a controller that has lost %s goes on with what the kernel has', async (_what, keepsLoads) => {
  const first = start();
  put(first, RULE);
  await first.answering(workload.name);
  await answered('a-23-1-0-1.x.test', FIRST);
  await keeps('live', FIRST);
  await first.close();
  const before = await handles();

  const second = start(keepsLoads ? { previous: { loads: first.stored.loads } } : {});
  put(second, RULE);
  await second.answering(workload.name);
  await second.controller.idle();
  if (keepsLoads) expect(await handles()).toBe(before);
  else await becomes('a load', async () => (await handles()) !== before);
  expect(second.log.messages('info')).toContain(
    'what is granted by name was read back from the kernel, as there is no record of it',
  );
  await reaches(FIRST);
  expect(await agents.workload.talk('live')).toBe('hello');
  // A text with another address rule takes it over.
  put(second, RULE, '192.0.2.1:tcp/1');
  await becomes('another text', async () => (await handles()).includes('allowed4'));
  await reaches(FIRST);
  expect([await agents.workload.talk('live'), await connects(SECOND)]).toEqual(['hello', false]);
  await answered('a-23-1-0-2.x.test', SECOND);
  await reaches(SECOND);
  // Nobody knows whether the name that goes has led to the address.
  put(second, `a-23-1-0-2.x.test:tcp/${PORT}`);
  await denied(FIRST);
  await becomes('its end', async () => (await agents.workload.talk('live')) !== 'hello');
  await reaches(SECOND);
});

it('a controller that was killed leaves to the next one what it has granted, also what it has not recorded', async () => {
  const first = start();
  put(first, RULE);
  await first.answering(workload.name);
  await answered('a-23-1-0-1.x.test', FIRST);
  await becomes('a record', async () => first.stored.names.size > 0);
  const { names } = first.stored;
  await answered('a-23-1-0-2.x.test', SECOND);
  await first.close();
  const before = await handles();

  const second = start({ previous: { names, loads: first.stored.loads } });
  put(second, RULE);
  await second.answering(workload.name);
  await becomes('the second address', async () => second.addresses(workload.name) === 2);
  expect(await handles()).toBe(before);
  put(second, RULE, '192.0.2.1:tcp/1');
  await becomes('another text', async () => (await handles()).includes('allowed4'));
  for (const address of [FIRST, SECOND]) await reaches(address);
  expect(await connects('23.1.0.3')).toBe(false);
});

it('a controller that was killed before it recorded the sets of a new rule leaves them to the next one', async () => {
  const first = start();
  put(first, RULE);
  await first.answering(workload.name);
  await becomes('a record', async () => first.stored.names.size > 0);
  const { names } = first.stored;
  put(first, RULE, '*.y.test:tcp/81');
  await answered('a-23-1-0-1.y.test', FIRST);
  await first.close();
  const before = await handles();

  const second = start({ previous: { names, loads: first.stored.loads } });
  put(second, RULE, '*.y.test:tcp/81');
  await second.answering(workload.name);
  await answered('a-23-1-0-2.y.test', SECOND);
  expect([await isGranted(SECOND), await handles()]).toEqual([true, before]);
  // A rule with these ports needs no load either.
  put(second, RULE, '*.y.test:tcp/81', '*.z.test:tcp/81');
  await answered('a-23-1-0-3.z.test', '23.1.0.3');
  expect(await isGranted('23.1.0.3')).toBe(true);
});

it('a controller that was killed before it recorded that a rule has gone keeps what others have been granted', async () => {
  const first = start();
  put(first, RULE, `*.y.test:tcp/${PORT}`);
  await first.answering(workload.name);
  await becomes('a record', async () => first.stored.names.size > 0);
  const { names } = first.stored;
  const before = await handles();
  put(first, RULE);
  await becomes('another text', async () => (await handles()) !== before);
  await answered('a-23-1-0-2.x.test', SECOND);
  await keeps('live', SECOND);
  await first.close();

  const second = start({ previous: { names, loads: first.stored.loads } });
  const loaded = await handles();
  put(second, RULE);
  await becomes('a text with another secret', async () => (await handles()) !== loaded);
  await second.answering(workload.name);
  expect(await isGranted(SECOND)).toBe(true);
  expect(await agents.workload.talk('live')).toBe('hello');
});

it('many namespaces at once are answered, and one in which sockets do not open holds up none', async () => {
  const names = Array.from({ length: MANY }, (_, index) => `egl-${process.pid}-many-${index + 1}`);
  await run('sh', [
    '-c',
    `for name in ${names.join(' ')}; do ip netns add $name && ip -n $name link set lo up; done`,
  ]);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  try {
    const begun = performance.now();
    const [slow = '', ...others] = names;
    const host = startNamesHost(
      {
        upstream: upstream.endpoint,
        open: async (namespace, wanted) => {
          if (namespace.name === slow) await held;
          return openSockets(namespace, wanted);
        },
      },
      ...names.map((name) => workloadIn({ name })),
    );
    put(host, RULE);
    await host.answering(...others);
    process.stdout.write(`${MANY} namespaces in ${Math.round(performance.now() - begun)} ms\n`);
    release();
    await host.answering(slow);
    await host.close();
  } finally {
    release();
    await run('sh', ['-c', `for name in ${names.join(' ')}; do ip netns delete $name; done`]);
  }
}, 600_000);
