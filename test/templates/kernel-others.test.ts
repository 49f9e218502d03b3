/**
 * The two templates that keep no allow-list, in a real kernel: lockdown and denylist.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { desiredFor, type Known } from '../../src/features/egress/desired.ts';
import { ALL_FRESH } from '../../src/inventory/ages.ts';
import { type Prefix, parseAddress } from '../../src/net/address.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { PolicyCompiler } from '../../src/policy/policy-compiler.ts';
import { destinations, load, netns, PORT, packet, useFixture } from './fixture.ts';
import { ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
});

/** Addresses of documentation: the way there ends at the granted namespace, which forwards nothing. */
const PUBLIC_HOST = { ipv4: '192.0.2.53', ipv6: '2001:db8::53' } as const;

/** What the controller closes for a container that lacks a key with this line, while `host` is protected. */
function closedBy(line: string, host: string) {
  const metadata = [{ address: host, port: PORT, node: 'node-1', tags: [] }];
  const known: Known = {
    acl: parseAcl(new Map([['lacked', line]])),
    services: new Map([['metadata', metadata]]),
    ages: ALL_FRESH,
    awaited: { rules: false, services: new Set() },
    isDenylist: true,
  };
  const want = desiredFor(known, new PolicyCompiler([hostOf(host)]))([]);
  return want.ungranted;
}

function hostOf(text: string): Prefix {
  const host = parseAddress(text);
  if (host === undefined) throw new Error(`${text} is no address`);
  return host;
}

const to = (address: string): string => (address.includes(':') ? `[${address}]` : address);

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  describe('lockdown', () => {
    it('lets nothing out and says nothing', async () => {
      await load(fixture.workload, 'lockdown');
      const { workload } = fixture.agents;
      expect(await workload.open('a', fixture.granted[family], PORT)).toBe('silence');
      expect(await workload.ask(fixture.granted[family], PORT, 4001)).toBe('silence');
      expect(await fixture.agents.granted.received()).toBe('');
    });

    it('lets neighbours be found, as not finding one is an error to programs', async () => {
      await load(fixture.workload, 'lockdown');
      for (const { run } of [fixture.workload, fixture.granted])
        await run('ip', ['neigh', 'flush', 'dev', 'eth0']);
      expect(await fixture.agents.workload.ask(fixture.granted[family], PORT, 4005)).toBe('silence');
      const { stdout } = await fixture.workload.run('ip', ['neigh', 'show', fixture.granted[family]]);
      expect(stdout).toContain('lladdr');
    });

    it('answers nobody', async () => {
      await load(fixture.workload, 'lockdown');
      expect(await fixture.agents.denied.open('b', fixture.workload[family], PORT)).toBe('silence');
      expect(await packet(fixture.denied, 'ping', fixture.workload[family])).toBe('silence');
    });

    it('leaves loopback alone', async () => {
      await load(fixture.workload, 'lockdown');
      const loopback = family === 'ipv4' ? '127.0.0.1' : '::1';
      for (const host of [loopback, fixture.workload[family]]) {
        expect(await fixture.agents.workload.open('c', host, PORT)).toBe('connected');
      }
    });

    it('lets a program that started early go on once its rules are there', async () => {
      await load(fixture.workload, 'lockdown');
      const { workload } = fixture.agents;
      expect(await workload.open('d', fixture.granted[family], PORT)).toBe('silence');
      await load(fixture.workload, 'nftables', {
        allowed: ruleSet(`${to(fixture.granted[family])}:tcp/${PORT}`),
      });
      await expect.poll(() => workload.talk('d'), { timeout: 10_000 }).toMatch(/^(hello)+$/);
    });
  });

  describe('denylist', () => {
    const tcp = (address: string) => ruleSet(`${to(address)}:tcp/${PORT}`);

    it('closes only the destinations of keys that were not granted', async () => {
      await load(fixture.workload, 'denylist', { ungranted: tcp(fixture.denied[family]) });
      const { workload, denied } = fixture.agents;
      expect(await workload.open('a', fixture.denied[family], PORT)).toBe('ECONNREFUSED');
      expect(await workload.ask(fixture.denied[family], PORT, 4002)).toBe('hello');
      expect(await workload.open('b', fixture.granted[family], PORT)).toBe('connected');
      expect(await packet(fixture.workload, 'ping', fixture.denied[family])).toBe('answered');
      expect(await denied.open('c', fixture.workload[family], PORT)).toBe('connected');
      expect(await destinations(fixture.workload)).toEqual([`${fixture.denied[family]} tcp ${PORT}: 1`]);
    });

    it('closes what a key names that was not granted, though another key grants it', async () => {
      const both = tcp(fixture.granted[family]);
      await load(fixture.workload, 'denylist', { allowed: both, ungranted: both });
      expect(await fixture.agents.workload.open('d', fixture.granted[family], PORT)).toBe('ECONNREFUSED');
    });

    it.each([
      ['a broad prefix', `${family === 'ipv4' ? '0.0.0.0/0' : '[::]/0'}:tcp/${PORT}`],
      ['a service that is registered there', 'metadata'],
    ])('closes a protected address that %s of a key names', async (_, line) => {
      const host = fixture.denied[family];
      await load(fixture.workload, 'denylist', { ungranted: closedBy(line, host) });
      expect(await fixture.agents.workload.open('h', host, PORT)).toBe('ECONNREFUSED');
    });

    it('closes names and time unless a key grants them or a resolver of its own is asked', async () => {
      const [own, other] = [fixture.granted[family], fixture.denied[family]];
      const facts = { resolvers: [own], attachments: [] };
      const { workload } = fixture.agents;
      await fixture.workload.run('ip', ['route', 'replace', PUBLIC_HOST[family], 'via', own]);
      await load(fixture.workload, 'denylist', {}, facts);
      expect(await workload.ask(own, 53, 4006)).toBe('silence');
      expect(await workload.ask(PUBLIC_HOST[family], 53, 4007)).toBe('EPERM');
      expect(await workload.ask(other, 123, 4008)).toBe('EPERM');
      const granted = ruleSet(`${to(PUBLIC_HOST[family])}:udp/53`, `${to(other)}:udp/123`);
      await load(fixture.workload, 'denylist', { allowed: granted }, facts);
      expect(await workload.ask(PUBLIC_HOST[family], 53, 4007)).toBe('silence');
      expect(await workload.ask(other, 123, 4008)).toBe('silence');
    });

    it('cuts running flows when their destination is closed, and no others', async () => {
      await load(fixture.workload, 'denylist');
      const { workload } = fixture.agents;
      await workload.open('e', fixture.denied[family], PORT);
      await workload.open('f', fixture.granted[family], PORT);
      expect(await workload.talk('e')).toBe('hello');
      await load(fixture.workload, 'denylist', { ungranted: tcp(fixture.denied[family]) });
      expect(await workload.talk('e')).toBe('ECONNRESET');
      expect(await workload.talk('f')).toBe('hello');
    });

    it('closes the resolvers where there are to be no names', async () => {
      const facts = { resolvers: [fixture.granted[family]], attachments: [] };
      await load(fixture.workload, 'denylist', { dns: 'none' }, facts);
      expect(await fixture.agents.workload.ask(fixture.granted[family], 53, 4003)).toBe('EPERM');
      expect(await fixture.agents.workload.ask('127.0.0.11', PORT, 4004)).toBe('EPERM');
    });
  });
});
