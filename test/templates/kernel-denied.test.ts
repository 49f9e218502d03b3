/**
 * What is known of denied packets when a workload floods the record: how many there were in all, that the record
 * is full, and where they went, at least by address or network. All that is sent ends in the namespace `denied`
 * if anything lets it pass.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseNamespaceState } from '../../src/dataplane/namespace-state.ts';
import { mostOutput } from '../../src/dataplane/runner.ts';
import type { RenderInput } from '../../src/features/egress/context.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { compileEgressTemplate, type EgressTemplate } from '../../src/features/egress/template.ts';
import type { DeniedRecord } from '../../src/inventory/denied-record.ts';
import { denied, load, NO_FACTS, netns, PORT, packet, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

const FLOOD = 9_000;

/** `all`: what stands for it in the record of networks. */
const FAMILIES = {
  ipv4: { flood: '198.18.0.0/15', prefix: '198.18', network: '198.0.0.0/8', own: '10.0.0.0/8' },
  ipv6: { flood: '2001:db8::/32', prefix: '2001:db8', network: '2000::/8', own: 'fd00::/8' },
} as const;
type Family = keyof typeof FAMILIES;

const fixture = await useFixture();

beforeAll(async () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const { flood } = FAMILIES[family];
    await fixture.workload.run('ip', ['route', 'add', flood, 'via', fixture.denied[family]]);
    await fixture.denied.run('ip', ['route', 'add', 'local', flood, 'dev', 'lo']);
  }
});
beforeEach(async () => {
  await netns(fixture.workload, 'clear');
  await fixture.agents.denied.received();
});

/** Sends a datagram to each line of standard input, `address port`. */
const SEND = `use Socket qw(:all);
  socket(my $four, PF_INET, SOCK_DGRAM, 0); socket(my $six, PF_INET6, SOCK_DGRAM, 0);
  while (<STDIN>) {
    my ($host, $port) = split;
    if ($host =~ /:/) { send($six, 'x', 0, pack_sockaddr_in6($port, inet_pton(AF_INET6, $host))) }
    else { send($four, 'x', 0, pack_sockaddr_in($port, inet_pton(AF_INET, $host))) }
  }`;

const send = (...targets: readonly string[]) =>
  fixture.workload.run('perl', ['-e', SEND], { input: targets.map((target) => `${target}\n`).join('') });

const ports = (family: Family): readonly string[] =>
  Array.from({ length: FLOOD }, (_, index) => `${fixture.denied[family]} ${20_000 + index}`);
const addresses = (family: Family): readonly string[] =>
  Array.from({ length: FLOOD }, (_, index) => {
    const [high, low] = [Math.floor(index / 250), index % 250];
    return `${FAMILIES[family].prefix}${family === 'ipv4' ? `.${high}.${low + 1}` : `::${high}:${low + 1}`} 9`;
  });

const packetsOf = (entries: DeniedRecord['addresses']) =>
  Object.fromEntries(entries.map(({ address, packets }) => [address, packets]));

const closed = ruleSet(
  ...['10.199.0.0/24', '198.18.0.0/15', '[fd00:e9:99::]/64', '[2001:db8::]/32'].map((one) => `${one}:udp`),
);
const CASES: readonly (readonly [string, string, Partial<RenderInput>])[] = [
  ['nftables', 'nftables', {}],
  ['nftables in audit mode', 'nftables', { mode: 'audit' }],
  ['denylist', 'denylist', { ungranted: closed }],
];

describe.each(CASES)('%s', (_, template, input) => {
  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    it('a flood of ports leaves the sight of another host, and is counted to the last packet', async () => {
      const state = await load(fixture.workload, template, input);
      await send(...ports(family), `${fixture.granted[family]} ${PORT + 1}`);
      const { destinations, addresses: hosts, networks, counts, isFull } = await denied(fixture.workload);
      expect(counts).toEqual({ packets: FLOOD + 1, spoofed: 0, frames: 0 });
      expect([isFull, destinations.length]).toEqual([true, 2_048]);
      expect(packetsOf(hosts)).toEqual({ [fixture.denied[family]]: FLOOD, [fixture.granted[family]]: 1 });
      expect(packetsOf(networks)).toEqual({ [FAMILIES[family].own]: FLOOD + 1 });
      expect((await netns(fixture.workload, 'state egress')).stdout).toBe(state);
    });

    it('a flood of addresses leaves the sight of other networks, and is counted to the last packet', async () => {
      await load(fixture.workload, template, input);
      await send(...addresses(family), `${fixture.denied[family]} ${PORT + 1}`);
      const { addresses: hosts, networks, counts, isFull } = await denied(fixture.workload);
      expect(counts).toEqual({ packets: FLOOD + 1, spoofed: 0, frames: 0 });
      expect([isFull, hosts.length]).toEqual([true, 2_048]);
      const { network, own } = FAMILIES[family];
      expect(packetsOf(networks)).toEqual({ [network]: FLOOD, [own]: 1 });
      expect(await fixture.agents.denied.received()).toBe('');
    });
  });
});

it('refuses still when the record is full', async () => {
  await load(fixture.workload, 'nftables');
  await send(...ports('ipv4'));
  expect(await fixture.agents.workload.open('c', fixture.denied.ipv4, PORT)).toBe('ECONNREFUSED');
});

it('takes new destinations in once the entries of a flood have expired', async () => {
  const { source } = loadTemplate('nftables');
  await load(
    fixture.workload,
    compileEgressTemplate('short', source.replaceAll('timeout 10m', 'timeout 3s')),
  );
  await send(...ports('ipv4'));
  expect((await denied(fixture.workload)).isFull).toBe(true);
  const listed = async () => {
    await send(`${fixture.denied.ipv4} ${PORT}`);
    const { destinations, isFull } = await denied(fixture.workload);
    return isFull ? [] : destinations.map(({ port }) => port);
  };
  await expect.poll(listed, { timeout: 30_000 }).toEqual([PORT]);
});

it('tells how long ago the last packet was', async () => {
  await load(fixture.workload, 'nftables');
  await send(`${fixture.denied.ipv4} ${PORT}`);
  const idle = async () => (await denied(fixture.workload)).destinations[0]?.idle ?? 0;
  expect(await idle()).toBeLessThan(3);
  await expect.poll(idle, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
});

describe('each kind is counted apart', () => {
  const counts = async () => (await denied(fixture.workload)).counts;

  it('frames of packet sockets', async () => {
    await load(fixture.workload, 'nftables');
    const { ipv4, device } = fixture.workload;
    const { stdout } = await fixture.workload.run('ip', ['-o', 'link', 'show', device]);
    const words = [
      `${Number.parseInt(stdout, 10)}`,
      'ff:ff:ff:ff:ff:ff',
      ipv4,
      fixture.denied.ipv4,
      `${PORT}`,
    ];
    for (let times = 0; times < 3; times += 1) await packet(fixture.workload, 'frame', ...words, 'frame');
    expect(await counts()).toEqual({ packets: 0, spoofed: 0, frames: 3 });
  });

  it('packets with a false source address', async () => {
    await load(fixture.workload, 'nftables');
    await packet(fixture.workload, 'datagram', '192.0.2.1', fixture.denied.ipv4, '1', `${PORT}`, 'spoofed');
    await send(`${fixture.denied.ipv4} ${PORT}`);
    expect(await counts()).toEqual({ packets: 2, spoofed: 1, frames: 0 });
  });

  it('none of what the kernel itself sends to multicast groups, which is no news', async () => {
    await load(fixture.workload, 'nftables');
    const { device } = fixture.workload;
    await fixture.workload.run('ip', ['address', 'add', '239.1.2.3/32', 'dev', device, 'autojoin']);
    await fixture.workload.run('ip', ['address', 'delete', '239.1.2.3/32', 'dev', device]);
    expect(await counts()).toEqual({ packets: 0, spoofed: 0, frames: 0 });
  });

  it('but what is sent to a host as if it were that', async () => {
    await load(fixture.workload, 'nftables');
    const igmp = `use Socket; socket(my $s, PF_INET, SOCK_RAW, 2);
      send($s, 'x' x 8, 0, pack_sockaddr_in(0, inet_aton('${fixture.denied.ipv4}')))`;
    await fixture.workload.run('perl', ['-e', igmp]);
    expect(await counts()).toEqual({ packets: 1, spoofed: 0, frames: 0 });
    expect((await denied(fixture.workload)).destinations).toMatchObject([{ protocol: '2', port: undefined }]);
  });
});

/** As somebody may have written it after a template of before. */
function withoutCounters(): EgressTemplate {
  const { source } = loadTemplate('nftables');
  const own = source
    .replaceAll(/^ {2}counter denied\w* \{\n {2}\}\n/gm, '')
    .replaceAll(/^ {2}set denied\w+_by_\w+ \{\n(.*\n){5}/gm, '')
    .replaceAll(/^ *(counter name denied|update @denied\w+_by_).*\n/gm, '')
    .replaceAll(' counter name denied_packets', '');
  expect(own).not.toMatch(/counter name|_by_/);
  return compileEgressTemplate('own', own);
}

it('a template without counters and sets by address is told as far as it goes', async () => {
  const state = await load(fixture.workload, withoutCounters());
  expect((await netns(fixture.workload, 'inspect egress')).stdout).toBe(state);
  await send(...ports('ipv4'), `${fixture.granted.ipv4} ${PORT + 1}`);
  const { denied: record } = parseNamespaceState((await netns(fixture.workload, 'inspect egress')).stdout);
  expect(record).toMatchObject({ addresses: [], networks: [], counts: undefined, isFull: true });
  expect(record.destinations).toHaveLength(2_048);
});

describe('with every set full', () => {
  it('a look stays small and quick', async () => {
    const state = await load(fixture.workload, 'nftables');
    await fillAll();
    const started = performance.now();
    const { exitCode, stdout } = await netns(fixture.workload, 'inspect egress');
    const milliseconds = Math.round(performance.now() - started);
    process.stdout.write(`measured: a look with full sets: ${milliseconds} ms, ${stdout.length} bytes\n`);
    expect({ exitCode, start: stdout.slice(0, state.length) }).toEqual({ exitCode: 0, start: state });
    const { denied: record } = parseNamespaceState(stdout);
    expect(record.destinations).toHaveLength(2 * (2_048 + 512 + 512));
    expect(stdout.length).toBeLessThan(mostOutput / 4);
    expect(milliseconds).toBeLessThan(10_000);
  });
});

async function fillAll(): Promise<void> {
  const four = (index: number) => `198.18.${index >> 8}.${index & 255}`;
  const six = (index: number) => `2001:db8::${(index + 1).toString(16)}`;
  const sets: readonly (readonly [string, number, (index: number) => string])[] = [
    ['denied4', 2_048, (index) => `${four(index)} . udp . 9`],
    ['denied6', 2_048, (index) => `${six(index)} . udp . 9`],
    ['denied_icmp4', 512, (index) => `${four(index)} . 8`],
    ['denied_icmp6', 512, (index) => `${six(index)} . 128`],
    ['denied_other4', 512, (index) => `${four(index)} . 47`],
    ['denied_other6', 512, (index) => `${six(index)} . 47`],
    ['denied4_by_address', 2_048, four],
    ['denied6_by_address', 2_048, six],
    ['denied4_by_network_8', 256, (index) => `${index}.0.0.0`],
    ['denied6_by_network_8', 256, (index) => `${(index * 256).toString(16)}::`],
  ];
  const lines = sets.map(([name, size, element]) => {
    const elements = Array.from({ length: size }, (_, index) => element(index));
    return `add element inet egresstrator_egress ${name} { ${elements.join(', ')} }\n`;
  });
  await fixture.workload.run('nft', ['-f', '-'], { input: lines.join('') });
}

describe('a reload', () => {
  it('tells what the rules before had denied, which go with them', async () => {
    await load(fixture.workload, 'nftables');
    await send(`${fixture.denied.ipv4} ${PORT}`);
    const text = withFacts(renderWith('nftables', { allowed: ruleSet('192.0.2.1:tcp/80') }).text, NO_FACTS);
    const { exitCode, stdout } = await netns(fixture.workload, 'reload egress', text);
    expect(exitCode).toBe(0);
    const { loaded, denied: before } = parseNamespaceState(stdout);
    expect(loaded).toEqual(
      parseNamespaceState((await netns(fixture.workload, 'state egress')).stdout).loaded,
    );
    expect(before.destinations).toMatchObject([{ address: fixture.denied.ipv4, port: PORT }]);
    expect(before.counts?.packets).toBe(1);
    expect((await netns(fixture.workload, 'reload egress', text)).stdout).not.toContain('denied');
  });

  it.each(['iptables', 'nftables'])('to iptables prints no rule, after %s', async (template) => {
    await load(fixture.workload, template);
    const text = withFacts(renderWith('iptables').text, NO_FACTS);
    const { exitCode, stdout } = await netns(fixture.workload, 'reload egress', text);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('denied');
    expect(parseNamespaceState(stdout).loaded).toEqual(
      parseNamespaceState((await netns(fixture.workload, 'state egress')).stdout).loaded,
    );
    await netns(fixture.workload, 'clear');
  });

  it('goes on where nothing is loaded', async () => {
    const text = withFacts(renderWith('nftables').text, NO_FACTS);
    const { exitCode, stdout } = await netns(fixture.workload, 'reload egress', text);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^fingerprint /);
    expect(stdout).not.toContain('denied');
  });
});
