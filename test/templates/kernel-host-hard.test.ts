/**
 * Hard cases of the host's rules: bridges that come later, bridged packets that are filtered, and marks of other programs.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forward, opening } from '../support/host-claims.ts';
import { netns } from './fixture.ts';
import { BRIDGES, loadHost, PORT, useHost } from './host-fixture.ts';

const { agents, containers, host } = await useHost();

const ENFORCE = { mode: 'enforce', families: [4, 6], isBetween: false, guardsNewBridges: true } as const;

beforeEach(async () => {
  await host.run('nft', ['flush', 'ruleset']);
});

describe('a bridge that was made after the load', () => {
  /** As the Engine names those of its networks. */
  const ENGINES = 'br-0a1b2c3d4e5f';
  afterEach(async () => {
    for (const name of ['br-lan', 'eth7', ENGINES])
      await host.run('ip', ['link', 'set', name, 'name', 'br-b'], { reject: false });
    await host.run('ip', ['link', 'set', 'br-b', 'up'], { reject: false });
  });
  /** The other bridge plays the later one: its name changes after the load. */
  async function rename(name: string): Promise<void> {
    await host.run('ip', ['link', 'set', 'br-b', 'name', name]);
  }
  const claims = { bridges: BRIDGES.filter(({ name }) => name === 'br-a'), guard: ENFORCE };

  it.each(['ipv4', 'ipv6'] as const)('is closed to callers from outside, over %s', async (family) => {
    const b1 = containers.b1[family];
    await loadHost(host, claims);
    expect(await agents.outside.open('x', b1, PORT)).toBe('connected');
    await rename(ENGINES);
    expect(await agents.outside.open('x', b1, PORT)).toBe('silence');
    expect(await agents.a1.open('x', b1, PORT)).toBe('connected');
    expect(await agents.b1.open('x', host[family], 1)).toBe('ECONNREFUSED');
  });

  it('is closed even if it exists at the load, but was not listed yet', async () => {
    await rename(ENGINES);
    await loadHost(host, claims);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('silence');
  });

  it('is left alone if it is of others', async () => {
    await rename('br-lan');
    await loadHost(host, claims);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('connected');
    await rename('eth7').catch(() => host.run('ip', ['link', 'set', 'br-lan', 'name', 'eth7']));
    await loadHost(host, claims);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('connected');
  });

  it('is told by the state if it is of others, so that the next load leaves it alone', async () => {
    await loadHost(host, claims);
    const loaded = await netns(host, 'state host');
    await rename(ENGINES);
    expect(await netns(host, 'state host')).toEqual(loaded);
    await host.run('ip', ['link', 'set', ENGINES, 'name', 'br-lan']);
    const changed = await netns(host, 'state host');
    expect(changed.stdout).not.toBe(loaded.stdout);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('silence');
    await loadHost(host, claims);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('connected');
  });

  it('is left alone where single bridges are guarded, and where only the other family is', async () => {
    await loadHost(host, { ...claims, guard: { ...ENFORCE, guardsNewBridges: false } });
    await rename(ENGINES);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('connected');
    await loadHost(host, { ...claims, guard: { ...ENFORCE, families: [6] } });
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('connected');
    expect(await agents.outside.open('x', containers.b1.ipv6, PORT)).toBe('silence');
    await loadHost(host, { ...claims, guard: { ...ENFORCE, mode: 'observe' } });
    expect(await agents.outside.open('x', containers.b1.ipv6, PORT)).toBe('connected');
    expect((await netns(host, 'denied host')).stdout).toContain(`"${containers.b1.ipv6}", 6, ${PORT}]`);
  });

  it('is closed where no bridge is listed at all', async () => {
    await loadHost(host, { bridges: [], guard: ENFORCE });
    await rename(ENGINES);
    expect(await agents.outside.open('x', containers.b1.ipv4, PORT)).toBe('silence');
  });
});

describe.each([0, 1] as const)('bridge-nf=%i', (nf) => {
  it.each(['ipv4', 'ipv6'] as const)(
    '%s: neighbours call freely, callers from outside do not',
    async (family) => {
      const names = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'];
      await host.run('sysctl', ['-qw', ...names.map((name) => `${name}=${nf}`)]);
      await loadHost(host, { guard: { ...ENFORCE, isBetween: true } });
      expect(await agents.a2.open('x', containers.a1[family], PORT)).toBe('connected');
      expect(await agents.a2.ask(containers.a1[family], PORT, 4200 + nf)).toBe('hello');
      expect(await agents.outside.open('x', containers.a1[family], PORT)).toBe('silence');
      expect(await agents.b1.open('x', containers.a1[family], PORT)).toBe('silence');
    },
  );
});

describe('marks of other programs', () => {
  /** Sets the mark of all packets before us, and counts those that have it after us. */
  const marked = (mark: string, mask: string) =>
    host.run('nft', ['-f', '-'], {
      input: `table inet marks {
        counter kept { }
        chain before { type filter hook prerouting priority mangle; meta mark set meta mark & ${others(mask)} | ${mark}; }
        chain after { type filter hook postrouting priority srcnat + 10; oifname "br-a" tcp dport ${PORT} meta mark & ${mask} == ${mark} counter name kept; }
      }`,
    });
  const others = (mask: string) => `0x${(0xffffffff - Number(mask)).toString(16)}`;
  const kept = async (): Promise<string> =>
    (await host.run('nft', ['list', 'counter', 'inet', 'marks', 'kept'])).stdout;

  it.each([
    { who: 'Tailscale', mark: '0x80000', mask: '0xff0000' },
    { who: 'kube-proxy, masquerade', mark: '0x4000', mask: '0x4000' },
    { who: 'kube-proxy, drop', mark: '0x8000', mask: '0x8000' },
    { who: 'WireGuard', mark: '0xca6c', mask: '0xffff' },
  ])('$who: its mark goes through', async ({ mark, mask }) => {
    await marked(mark, mask);
    await loadHost(host, {
      guard: ENFORCE,
      openings: [opening(containers.a1.ipv4, PORT)],
      forwards: [forward(80, containers.a1.ipv4, PORT)],
    });
    expect(await agents.outside.open('x', host.ipv4, 80)).toBe('connected');
    expect(await agents.outside.talk('x')).toBe('hello');
    expect(await kept()).not.toContain('packets 0 ');
  });

  it('a packet that brings ours gains nothing', async () => {
    await marked('0x65000000', '0xff000000');
    await host.run('nft', ['-f', '-'], {
      input: `table inet strict { chain forward { type filter hook forward priority filter; policy drop;
        meta mark & 0xfe000000 == 0x64000000 accept; }; }`,
    });
    await loadHost(host, { forwards: [forward(80, containers.a1.ipv4, PORT)] });
    expect(await agents.outside.open('x', containers.a1.ipv4, PORT)).toBe('silence');
    expect(await agents.outside.open('x', host.ipv4, 80)).toBe('connected');
  });
});
