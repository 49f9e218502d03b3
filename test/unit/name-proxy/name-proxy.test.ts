import { describe, expect, it, onTestFinished } from 'vitest';
import type { NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { NameProxy, type ProxySettings } from '../../../src/name-proxy/name-proxy.ts';
import type { WantedSockets } from '../../../src/name-proxy/open-sockets.ts';
import { policyOf } from '../features/names/names.ts';
import { FakeSocket } from './fake-socket.ts';
import { formatAnswer, questionBytes } from './messages.ts';
import { answerBytes, serveNames } from './name-servers.ts';

const NAMESPACE: NamespaceRef = { name: 'shop', pid: 1, containerId: 'c', startedAt: '' };
const POLICY = policyOf(['**.x.test:tcp/443'], {
  localResolver: ([first]) => (first === 'db' ? 'docker' : undefined),
});

/** Sockets whose kernel takes all grants. */
const setup = (settings: Partial<ProxySettings> = {}) => {
  const opened: { readonly udp: FakeSocket; readonly docker: FakeSocket; readonly wanted: WantedSockets }[] =
    [];
  const opening = { pauses: [] as (() => void)[], isPaused: false };
  const proxy = new NameProxy({
    ...{
      upstream: () => [],
      consul: () => undefined,
      cgroup: { processes: '/c', release: () => undefined },
      now: Date.now,
    },
    onDefect: unexpected,
    open: async (_, wanted = {}) => {
      if (opening.isPaused) await new Promise<void>((resolve) => opening.pauses.push(resolve));
      const [udp, docker] = [new FakeSocket(), new FakeSocket()];
      udp.outcome = ({ port }) => (port === 5_353 ? 'EPERM' : undefined);
      opened.push({ udp, docker, wanted });
      const close = () => {
        udp.close();
      };
      const grants = udp.grantsTo(5_353);
      return { port: 5_353, dockerPort: 1, udp: [udp], tcp: [], docker, grants, close };
    },
    ...settings,
  });
  onTestFinished(() => proxy.closeAll());
  const open = async (key: string) => {
    const names = await proxy.open(key, { namespace: NAMESPACE, policy: POLICY });
    await names.hold();
    names.resume(new Map([['tcp/443', 0]]));
    return names;
  };
  return { proxy, open, opened, opening };
};

const asked = async ({ udp }: { readonly udp: FakeSocket }, name: string, isDone: () => boolean) => {
  udp.receive(questionBytes(name), '172.18.0.5', 40_000);
  for (let times = 0; times < 1_000 && !isDone(); times++) await new Promise(setImmediate);
};
const unexpected = (error: unknown) => {
  throw error;
};
const answersOf = ({ udp }: { readonly udp: FakeSocket }) =>
  udp.sent.filter(({ port }) => port === 40_000).map(({ bytes }) => formatAnswer(bytes));

describe('namespaces', () => {
  it('share resolvers and what these have answered', async () => {
    const server = await serveNames((one) => one.answer(answerBytes(one, ['1.1.1.1'])));
    const { proxy, open, opened } = setup({ upstream: () => [server.endpoint] });
    await open('a');
    await open('b');
    for (const one of opened) {
      await asked(one, 'api.x.test', () => answersOf(one).length > 0);
      expect(answersOf(one)).toEqual([expect.stringMatching(/^NOERROR 1\.1\.1\.1 (60|59)$/)]);
    }
    expect(server.asked).toHaveLength(1);
    expect(proxy.counts.upstream).toMatchObject({ asked: 1, cached: 1, shared: 0, failed: 0 });
    expect(proxy.trouble).toBeUndefined();
  });

  it('tell that there are no resolvers, when questions have met none', async () => {
    const { proxy, open, opened } = setup();
    await open('a');
    const [one] = opened;
    if (one === undefined) throw new Error('not opened');
    for (let times = 1; times <= 3; times++)
      await asked(one, `a${times}.x.test`, () => answersOf(one).length === times);
    expect(proxy.trouble).toMatch(/^names of rules are not resolved: this host has no resolvers/);
  });

  it('are closed alone, or all together, and opened anew under the same key', async () => {
    const { proxy, open, opened } = setup();
    await open('a');
    await open('b');
    await open('a');
    expect(opened.map(({ udp }) => udp.isClosed)).toEqual([true, false, false]);
    expect([...proxy.namespaces.keys()].sort()).toEqual(['a', 'b']);
    proxy.close('b');
    expect(opened.map(({ udp }) => udp.isClosed)).toEqual([true, true, false]);
    proxy.closeAll();
    expect(opened.every(({ udp }) => udp.isClosed)).toBe(true);
  });

  it('have their cgroup released when all are closed', async () => {
    let isReleased = false;
    const release = () => {
      isReleased = true;
    };
    const { proxy, open, opened } = setup({ cgroup: { processes: '/c', release } });
    await open('a');
    proxy.close('a');
    expect(isReleased).toBe(false);
    proxy.closeAll();
    expect([isReleased, opened.every(({ udp }) => udp.isClosed)]).toEqual([true, true]);
  });

  it('that are opened when the program ends are closed', async () => {
    const { proxy, open, opened, opening } = setup();
    opening.isPaused = true;
    const late = open('a');
    proxy.closeAll();
    for (const resume of opening.pauses) resume();
    await late;
    expect(opened.map(({ udp }) => udp.isClosed)).toEqual([true]);
    expect(proxy.namespaces.size).toBe(0);
  });

  it('are opened two at a time', async () => {
    const { open, opening } = setup();
    opening.isPaused = true;
    const all = ['a', 'b', 'c', 'd'].map(open);
    await new Promise(setImmediate);
    expect(opening.pauses).toHaveLength(2);
    opening.isPaused = false;
    for (const resume of opening.pauses) resume();
    await Promise.all(all);
  });
});

describe('Docker’s resolver', () => {
  it('is asked by a socket in the cgroup', async () => {
    const { open, opened } = setup();
    await open('a');
    const [one] = opened;
    if (one === undefined) throw new Error('not opened');
    expect(one.wanted.cgroup).toBe('/c');
    await asked(one, 'db', () => one.docker.sent.length > 0);
    expect(one.docker.sent.map(({ address }) => address)).toEqual(['127.0.0.11']);
  });

  it('is not asked without a cgroup, as others could ask it the same way', async () => {
    const { open, opened } = setup({ cgroup: undefined });
    await open('a');
    const [one] = opened;
    if (one === undefined) throw new Error('not opened');
    await asked(one, 'db', () => answersOf(one).length > 0);
    expect(one.docker.sent).toEqual([]);
    expect(answersOf(one)).toEqual(['SERVFAIL']);
  });
});
