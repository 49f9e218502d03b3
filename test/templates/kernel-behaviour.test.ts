/**
 * What passes and what does not, in a real kernel, under each template that keeps an allow-list.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { countersFrom } from '../../src/dataplane/namespace-counters.ts';
import type { RenderInput } from '../../src/features/egress/context.ts';
import { destinations, load, netns, PORT, packet, useFixture } from './fixture.ts';
import { ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
});

/** Recorded destinations but those of connections that tests before have left, which all lead to one port. */
const answersRecorded = async (): Promise<readonly string[]> =>
  (await destinations(fixture.workload)).filter((line) => !line.includes(` tcp ${PORT}: `));

/** All that the granted namespace offers. */
const everything = (): Partial<RenderInput> => {
  const { ipv4, ipv6 } = fixture.granted;
  return {
    allowed: ruleSet(
      `${ipv4}:tcp/${PORT}`,
      `[${ipv6}]:tcp/${PORT}`,
      `${ipv4}:udp/${PORT}`,
      `[${ipv6}]:udp/${PORT}`,
      `${ipv4}:icmp/8`,
      `[${ipv6}]:icmp/128`,
    ),
  };
};

/** The counters that tell the controller whether anything was sent. */
async function traffic(): Promise<string> {
  const read = async (name: string) => (await fixture.workload.run('cat', [`/proc/net/${name}`])).stdout;
  return countersFrom(await read('snmp'), await read('snmp6')).sent;
}

/** The same once nothing moves any more. */
async function quietTraffic(): Promise<string> {
  for (let before = await traffic(); ; ) {
    await sleep(100);
    const now = await traffic();
    if (now === before) return now;
    before = now;
  }
}

const FAMILIES = ['ipv4', 'ipv6'] as const;

describe.each(['nftables', 'iptables'])('%s', (template) => {
  describe.each(FAMILIES)('%s', (family) => {
    it('lets pass what is allowed', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      expect(await workload.open('a', fixture.granted[family], PORT)).toBe('connected');
      expect(await workload.talk('a')).toBe('hello');
      expect(await workload.ask(fixture.granted[family], PORT, 4001)).toBe('hello');
      expect(await packet(fixture.workload, 'ping', fixture.granted[family])).toBe('answered');
    });

    it('refuses the rest at once', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      expect(await workload.open('b', fixture.denied[family], PORT)).toBe('ECONNREFUSED');
      expect(await workload.open('c', fixture.granted[family], PORT + 1)).toBe('ECONNREFUSED');
      expect(await workload.ask(fixture.denied[family], PORT, 4002)).toBe('EPERM');
      expect(await packet(fixture.workload, 'ping', fixture.denied[family])).toBe('Operation not permitted');
    });

    it('counts whatever it refuses where the controller looks for it', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      const refused = fixture.denied[family];
      for (const attempt of [
        () => workload.open('r', refused, PORT),
        () => workload.ask(refused, PORT, 4003),
        () => packet(fixture.workload, 'ping', refused),
      ]) {
        const before = await quietTraffic();
        await attempt();
        expect(await traffic()).not.toBe(before);
      }
    });

    it('leaves loopback alone', async () => {
      await load(fixture.workload, template);
      const { workload } = fixture.agents;
      const loopback = family === 'ipv4' ? '127.0.0.1' : '::1';
      expect(await workload.open('d', loopback, PORT)).toBe('connected');
      expect(await workload.ask(loopback, PORT, 4003)).toBe('hello');
      expect(await workload.open('e', fixture.workload[family], PORT)).toBe('connected');
    });

    it('answers those who come from outside', async () => {
      await load(fixture.workload, template);
      const { denied } = fixture.agents;
      expect(await denied.open('f', fixture.workload[family], PORT)).toBe('connected');
      expect(await denied.talk('f')).toBe('hello');
      expect(await denied.ask(fixture.workload[family], PORT, 4004)).toBe('hello');
      expect(await packet(fixture.denied, 'ping', fixture.workload[family])).toBe('answered');
    });

    it('tells those who come from outside that nobody listens', async () => {
      await load(fixture.workload, template);
      const { denied } = fixture.agents;
      expect(await denied.open('g', fixture.workload[family], PORT + 1)).toBe('ECONNREFUSED');
      const before = await icmpErrors(family);
      expect(await denied.ask(fixture.workload[family], PORT + 1, 4005)).toBe('silence');
      expect(await icmpErrors(family)).toBe(before + 1);
    });

    it('leaves running flows alone when the same text is loaded again', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      await workload.open('h', fixture.granted[family], PORT);
      await load(fixture.workload, template, everything());
      expect(await workload.talk('h')).toBe('hello');
    });

    it('leaves running flows alone when another rule set still allows them', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      await workload.open('i', fixture.granted[family], PORT);
      const more = ruleSet(`${bracket(fixture.granted[family])}:tcp`);
      await load(fixture.workload, template, { allowed: more });
      expect(await workload.talk('i')).toBe('hello');
    });

    it('cuts running flows whose rule is gone', async () => {
      await load(fixture.workload, template, everything());
      const { workload } = fixture.agents;
      await workload.open('j', fixture.granted[family], PORT);
      expect(await workload.talk('j')).toBe('hello');
      expect(await workload.ask(fixture.granted[family], PORT, 4006)).toBe('hello');
      await load(fixture.workload, template);
      // For a moment after a load nobody is answered for sure; then the client is told.
      const answers = new Set<string>();
      const talk = async () => {
        const answer = await workload.talk('j');
        answers.add(answer);
        return answer;
      };
      await expect.poll(talk, { timeout: 20_000 }).toBe('ECONNRESET');
      expect([...answers].filter((answer) => !['silence', 'ECONNRESET'].includes(answer))).toEqual([]);
      await expect
        .poll(() => workload.ask(fixture.granted[family], PORT, 4006), { timeout: 20_000 })
        .toBe('EPERM');
    });

    it('cuts flows that are older than all rules, even if the other side speaks first', async () => {
      const { workload, denied } = fixture.agents;
      expect(await workload.open('o', fixture.denied[family], PORT)).toBe('connected');
      await load(fixture.workload, template, everything());
      expect(await denied.speak()).toMatch(/^to [1-9]/);
      // The word itself comes in, but its receipt is the first packet that goes out.
      await expect.poll(() => workload.talk('o')).toBe('ECONNRESET');
    });

    it('ends connections from outside that are older than all rules at both ends', async () => {
      const { workload, denied } = fixture.agents;
      expect(await denied.open('p', fixture.workload[family], PORT)).toBe('connected');
      expect(await denied.open('q', fixture.workload[family], PORT)).toBe('connected');
      await load(fixture.workload, template, everything());
      // Of the one the other side speaks first, of the other the workload.
      await expect.poll(() => denied.talk('p'), { timeout: 20_000 }).toBe('ECONNRESET');
      expect(await workload.speak()).toMatch(/^to [1-9]/);
      await expect.poll(() => denied.talk('q'), { timeout: 20_000 }).toBe('ECONNRESET');
      // iptables records nothing.
      if (template !== 'iptables') expect(await answersRecorded()).toEqual([]);
      expect(await denied.open('r', fixture.workload[family], PORT)).toBe('connected');
      expect(await denied.talk('r')).toBe('hello');
    });

    it('records no answer on them in audit mode', async () => {
      const { workload, denied } = fixture.agents;
      expect(await denied.open('s', fixture.workload[family], PORT)).toBe('connected');
      await load(fixture.workload, template, { mode: 'audit' });
      expect(await workload.speak()).toMatch(/^to [1-9]/);
      expect(await denied.talk('s')).toMatch(/hello|word/);
      if (template !== 'iptables') expect(await answersRecorded()).toEqual([]);
    });

    it('lets names be asked of the resolvers alone', async () => {
      const resolvers = [fixture.granted[family]];
      await load(fixture.workload, template, { resolvers }, { resolvers, attachments: [] });
      const { workload } = fixture.agents;
      expect(await workload.ask(fixture.granted[family], 53, 4007)).toBe('silence');
      expect(await workload.open('k', fixture.granted[family], 53)).toBe('ECONNREFUSED');
      expect(await workload.ask(fixture.denied[family], 53, 4008)).toBe('EPERM');
      await load(fixture.workload, template, { resolvers, dns: 'none' }, { resolvers, attachments: [] });
      expect(await workload.ask(fixture.granted[family], 53, 4007)).toBe('EPERM');
    });

    it('lets all pass in audit mode, and cuts at once when it ends', async () => {
      await load(fixture.workload, template, { mode: 'audit' });
      const { workload } = fixture.agents;
      expect(await workload.open('l', fixture.denied[family], PORT)).toBe('connected');
      expect(await workload.talk('l')).toBe('hello');
      await load(fixture.workload, template);
      expect(await workload.talk('l')).toBe('ECONNRESET');
    });
  });

  it('keeps neighbours in reach after all of them were forgotten', async () => {
    await load(fixture.workload, template, everything());
    for (const { run } of [fixture.workload, fixture.granted])
      await run('ip', ['neigh', 'flush', 'dev', 'eth0']);
    expect(await fixture.agents.workload.open('m', fixture.granted.ipv6, PORT)).toBe('connected');
    for (const { run } of [fixture.workload, fixture.granted])
      await run('ip', ['neigh', 'flush', 'dev', 'eth0']);
    expect(await fixture.agents.granted.open('n', fixture.workload.ipv6, PORT)).toBe('connected');
  });

  it('closes the resolver of Docker where there are to be no names', async () => {
    await load(fixture.workload, template);
    expect(await fixture.agents.workload.ask('127.0.0.11', PORT, 4009)).toBe('hello');
    await load(fixture.workload, template, { dns: 'none' });
    expect(await fixture.agents.workload.ask('127.0.0.11', PORT, 4009)).toBe('EPERM');
  });
});

const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** How many "destination unreachable" the denied namespace has received. */
async function icmpErrors(family: (typeof FAMILIES)[number]): Promise<number> {
  const [file, name] =
    family === 'ipv4' ? ['/proc/net/snmp', 'InDestUnreachs'] : ['/proc/net/snmp6', 'Icmp6InDestUnreachs'];
  const { stdout } = await fixture.denied.run('cat', [file]);
  if (family === 'ipv6') return Number(new RegExp(`^${name}\\s+(\\d+)$`, 'm').exec(stdout)?.[1]);
  const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('Icmp:'));
  return Number(values.split(' ')[names.split(' ').indexOf(name)]);
}
