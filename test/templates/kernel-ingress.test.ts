/**
 * Who may reach a container, in a real kernel: callers that its ingress rules name, and nobody else, whether they come
 * from its own bridge, another one, the host or from outside.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import type { Namespace } from '../../lab/netns.ts';
import { parseDenied } from '../../src/dataplane/denied.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import type { Mode } from '../../src/inventory/workload.ts';
import { load, netns, packet } from './fixture.ts';
import { PORT, useHost } from './host-fixture.ts';
import { ruleSet } from './rules.ts';

await ensureCommands({ conntrack: 'conntrack' });
const fixture = await useHost();
const { agents, containers, outside } = fixture;
const guarded = containers.a1;

beforeAll(() => agents.outside.serve(80));
beforeEach(async () => {
  await netns(guarded, 'clear');
});

const template = loadIngressTemplate();

/** Loads these rules in the guarded container. */
async function admit(lines: readonly string[], mode: Mode = 'enforce'): Promise<string> {
  const { text } = renderIngress(template, ruleSet(...lines), mode);
  const { exitCode, stdout, stderr } = await netns(guarded, 'load ingress', text);
  if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
  return stdout;
}

/** Its callers as `address protocol port`, sorted. */
async function recorded(): Promise<readonly string[]> {
  const { stdout } = await netns(guarded, 'denied ingress');
  return parseDenied(stdout)
    .destinations.map(({ address, protocol, port }) => `${address} ${protocol} ${port ?? '-'}`)
    .sort();
}

/** In the moments after a load nobody is answered, thereafter the caller is told at once. */
const DENIED = /^(?:silence|ECONNREFUSED)$/;
/** With a template that resets in the moment of a load, a few of them lose connections. */
const RELOADS = 30;
const PATIENT = { timeout: 20_000 };
const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address);

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const at = guarded[family];
  const from = (one: { readonly ipv4: string; readonly ipv6: string }, traffic: string): string =>
    `${bracket(one[family])}:${traffic}`;
  const ping = (one: Namespace): Promise<string> => packet(one, 'ping', at);

  it('without rules anyone may call', async () => {
    expect(await agents.outside.open('x', at, PORT)).toBe('connected');
    expect(await agents.a2.open('x', at, PORT)).toBe('connected');
  });

  it('callers reach the ports that a rule names, and no other', async () => {
    await admit([from(outside, `tcp/${PORT}`), from(containers.a2, `tcp/${PORT + 1}`)]);
    expect(await agents.outside.open('x', at, PORT)).toBe('connected');
    expect(await agents.outside.talk('x')).toBe('hello');
    expect(await agents.outside.open('x', at, PORT + 1)).toMatch(DENIED);
    expect(await agents.outside.ask(at, PORT, 4001)).toBe('silence');
    expect(await agents.a2.open('x', at, PORT + 1)).toBe('connected');
    expect(await agents.a2.open('x', at, PORT)).toMatch(DENIED);
    expect(await agents.b1.open('x', at, PORT)).toMatch(DENIED);
    expect(await agents.host.open('x', at, PORT)).toMatch(DENIED);
    expect(await ping(outside)).toBe('silence');
  });

  it('datagrams and echo requests have rules of their own', async () => {
    await admit([
      from(outside, `udp/${PORT}`),
      from(containers.a2, family === 'ipv4' ? 'icmp/8' : 'icmp/128'),
    ]);
    expect(await agents.outside.ask(at, PORT, 4002)).toBe('hello');
    expect(await agents.outside.ask(at, PORT + 1, 4002)).toBe('silence');
    expect(await agents.a2.ask(at, PORT, 4002)).toBe('silence');
    expect(await ping(containers.a2)).toBe('answered');
    expect(await ping(outside)).toBe('silence');
  });

  it('without lines nobody may call, and a denied caller is told', async () => {
    await admit([]);
    for (const agent of [agents.outside, agents.a2, agents.b1, agents.host])
      await expect.poll(() => agent.open('x', at, PORT), PATIENT).toBe('ECONNREFUSED');
    expect(await recorded()).toContain(`${outside[family]} tcp ${PORT}`);
    expect(await recorded()).toContain(`${containers.a2[family]} tcp ${PORT}`);
    await expect.poll(() => agents.outside.ask(at, PORT, 4003), PATIENT).toBe('silence');
    expect(await recorded()).toContain(`${outside[family]} udp ${PORT}`);
    await ping(outside);
    expect(await recorded()).toContain(`${outside[family]} icmp ${family === 'ipv4' ? 8 : 128}`);
  });

  it('calls of the container itself get their answers, and so does loopback', async () => {
    await admit([]);
    expect(await agents.a1.open('x', outside[family], PORT)).toBe('connected');
    expect(await agents.a1.talk('x')).toBe('hello');
    expect(await agents.a1.open('x', containers.a2[family], PORT)).toBe('connected');
    expect(await agents.a1.ask(outside[family], PORT, 4004)).toBe('hello');
    expect(await packet(guarded, 'ping', outside[family])).toBe('answered');
    expect(await agents.a1.open('x', outside[family], 1)).toBe('ECONNREFUSED');
    expect(await agents.a1.open('x', family === 'ipv4' ? '127.0.0.1' : '::1', PORT)).toBe('connected');
    expect(await agents.a1.open('x', at, PORT)).toBe('connected');
  });

  it('tells the container that nobody listens where it calls', async () => {
    await admit([]);
    const before = await icmpErrors(family);
    expect(await agents.a1.ask(outside[family], 9, 4005)).toBe('silence');
    expect(await icmpErrors(family)).toBe(before + 1);
  });

  it('cuts the connections of a caller whose rule is gone, and leaves the others', async () => {
    const staying = from(containers.a2, `tcp/${PORT}`);
    await admit([from(outside, `tcp/${PORT}`), staying]);
    await agents.outside.open('leaving', at, PORT);
    await agents.a2.open('staying', at, PORT);
    expect(await agents.outside.talk('leaving')).toBe('hello');
    await admit([staying]);
    const answers = new Set<string>();
    const talk = async () => {
      const answer = await agents.outside.talk('leaving');
      answers.add(answer);
      return answer;
    };
    await expect.poll(talk, PATIENT).toBe('ECONNRESET');
    expect([...answers].filter((answer) => !['silence', 'ECONNRESET'].includes(answer))).toEqual([]);
    expect(await agents.a2.talk('staying')).toBe('hello');
  });

  it('in audit mode all pass, and those that would be denied are recorded', async () => {
    await admit([from(outside, `tcp/${PORT}`)], 'audit');
    expect(await agents.outside.open('x', at, PORT)).toBe('connected');
    const call = async () => {
      expect(await agents.b1.open('x', at, PORT)).toBe('connected');
      return recorded();
    };
    await expect.poll(call, PATIENT).toEqual([`${containers.b1[family]} tcp ${PORT}`]);
    expect(await agents.a2.ask(at, PORT, 4007)).toBe('hello');
    expect(await ping(outside)).toBe('answered');
  });

  it('cuts at once what audit mode let pass', async () => {
    await admit([], 'audit');
    await agents.outside.open('x', at, PORT);
    expect(await agents.outside.talk('x')).toBe('hello');
    await admit([]);
    expect(await agents.outside.talk('x')).toMatch(/^(?:silence|ECONNRESET)$/);
    await expect.poll(() => agents.outside.talk('x'), PATIENT).toBe('ECONNRESET');
  });

  it('holds beside egress rules, which hold too', async () => {
    const rules = { allowed: ruleSet(from(containers.b1, `tcp/${PORT}`)) };
    const egress = await load(guarded, 'nftables', rules);
    await admit([from(outside, `tcp/${PORT}`)]);
    expect(await agents.outside.open('x', at, PORT)).toBe('connected');
    expect(await agents.outside.talk('x')).toBe('hello');
    expect(await agents.a2.open('x', at, PORT)).toMatch(DENIED);
    expect(await agents.a1.open('x', containers.b1[family], PORT)).toBe('connected');
    expect(await agents.a1.open('x', outside[family], PORT)).toBe('ECONNREFUSED');
    await admit([]);
    await expect.poll(() => agents.outside.talk('x'), PATIENT).toBe('ECONNRESET');
    expect((await netns(guarded, 'state egress')).stdout).toBe(egress);
  });
});

it('sends no datagrams to a caller whose rule is gone', async () => {
  const answer = () => packet(guarded, 'datagram', guarded.ipv4, outside.ipv4, String(PORT), '4006', 'word');
  await admit([`${outside.ipv4}:udp/${PORT}`]);
  expect(await agents.outside.ask(guarded.ipv4, PORT, 4006)).toBe('hello');
  expect(await answer()).toBe('sent');
  await admit([]);
  expect(await answer()).toBe('Operation not permitted');
});

describe.each(['ipv4', 'ipv6'] as const)('a caller by %s whose rule is gone', (family) => {
  const admitted = () =>
    admit([family === 'ipv4' ? `${outside.ipv4}:tcp/${PORT}` : `[${outside.ipv6}]:tcp/${PORT}`]);

  /** Of this caller with the container's server, as the container's kernel lists them. */
  const connections = async (): Promise<string> => {
    const from = ['state', 'established', 'dst', bracket(outside[family]), 'sport', '=', `:${PORT}`];
    return (await guarded.run('ss', ['-Htn', ...from])).stdout;
  };

  it('is gone for the program in the container too', async () => {
    await admitted();
    await agents.outside.open('x', guarded[family], PORT);
    expect(await agents.outside.talk('x')).toBe('hello');
    expect(await connections()).not.toBe('');
    await admit([]);
    const afterSpeaking = async () => {
      await agents.a1.speak();
      return connections();
    };
    await expect.poll(afterSpeaking, PATIENT).toBe('');
  });

  it('gets no way back when the kernel has forgotten its connection', async () => {
    await admitted();
    await agents.outside.open('x', guarded[family], PORT);
    expect(await agents.outside.talk('x')).toBe('hello');
    await admit([]);
    await guarded.run('conntrack', ['-F']);
    await agents.a1.speak();
    expect(await agents.outside.talk('x')).not.toMatch(/hello|word/);
  });

  it('leaves a call of the container that is older than all rules, where the container sends first', async () => {
    expect(await agents.a1.open('old', outside[family], 80)).toBe('connected');
    await admit([]);
    await guarded.run('conntrack', ['-F']);
    await expect.poll(() => agents.a1.talk('old'), PATIENT).toBe('hello');
  });
});

describe('the mark of a flow', () => {
  /** Of the connection from outside, as the container's kernel has it. */
  const mark = async (): Promise<number> => {
    const { stdout } = await guarded.run('conntrack', ['-L', '-p', 'tcp', '-s', outside.ipv4]);
    return Number(/ESTABLISHED .*mark=(\d+)/.exec(stdout)?.[1]);
  };
  const callers = `${outside.ipv4}:tcp/${PORT}`;
  const generation = (...lines: readonly string[]): number => {
    const { text } = renderIngress(template, ruleSet(...lines), 'enforce');
    return Number(/^define generation_alone = (0xf\w{7})$/m.exec(text)?.[1]);
  };
  beforeEach(async () => {
    await guarded.run('conntrack', ['-F']);
  });

  it('is that of the text under which it was looked up last', async () => {
    await admit([callers]);
    expect(await agents.outside.open('x', guarded.ipv4, PORT)).toBe('connected');
    expect(await mark()).toBe(generation(callers));
    await admit([callers, `${guarded.ipv4}:tcp/1`]);
    await expect.poll(() => agents.outside.talk('x'), PATIENT).toBe('hello');
    expect(await mark()).toBe(generation(callers, `${guarded.ipv4}:tcp/1`));
    expect(await mark()).not.toBe(generation(callers));
  });

  it('stays if others have marked it', async () => {
    const chain = 'chain input { type filter hook input priority 0; ct mark set 7; }';
    await guarded.run('nft', ['-f', '-'], { input: `table inet others { ${chain}; }\n` });
    await admit([callers]);
    expect(await agents.outside.open('x', guarded.ipv4, PORT)).toBe('connected');
    expect(await mark()).toBe(7);
    await admit([]);
    await expect.poll(() => agents.outside.talk('x'), PATIENT).toBe('ECONNRESET');
    await guarded.run('nft', ['delete', 'table', 'inet', 'others']);
  });
});

it('hears from routers and callers about its answers', async () => {
  await admit([`${outside.ipv4}:udp/${PORT}`]);
  expect(await agents.outside.ask(guarded.ipv4, PORT, 4008)).toBe('hello');
  const before = await icmpErrors('ipv4');
  // Nobody listens there any more.
  await packet(guarded, 'datagram', guarded.ipv4, outside.ipv4, String(PORT), '4008', 'word');
  await expect.poll(() => icmpErrors('ipv4'), PATIENT).toBe(before + 1);
});

it('resets no connection that each of many loads lets in', { timeout: 120_000 }, async () => {
  const others = (round: number) =>
    Array.from({ length: 200 }, (_, index) => `10.${round}.${index}.1:tcp/${1 + (index % 9)}`);
  // Ranges: sets of intervals have their elements a moment after the rules are in force.
  const ports = `tcp/${PORT}-${PORT + 9}`;
  const callers = [`${outside.ipv4}:${ports}`, `[${outside.ipv6}]:${ports}`];
  await admit([...callers, ...others(0)]);
  for (const family of ['ipv4', 'ipv6'] as const)
    expect(await agents.outside.busy('granted', 4, guarded[family], PORT)).toBe('connected');
  for (let round = 1; round <= RELOADS; round += 1) await admit([...callers, ...others(round)]);
  const echoes = async () => (await agents.outside.echoes('granted')).split(' ').map(Number);
  const before = await echoes();
  const goesOn = async () => (await echoes()).every((count, flow) => count > (before[flow] ?? 0));
  await expect.poll(goesOn, PATIENT).toBe(true);
});

it('keeps its rules apart from those of others, and leaves none', async () => {
  const before = await guarded.run('nft', ['list', 'ruleset']);
  const state = await admit([`${outside.ipv4}:tcp/${PORT}`]);
  expect(state).toMatch(/^fingerprint [0-9a-f]{32}\ndigest [0-9a-f]{64}$/);
  await agents.b1.open('x', guarded.ipv4, PORT);
  expect((await netns(guarded, 'state ingress')).stdout).toBe(state);
  await netns(guarded, 'clear ingress');
  expect(await guarded.run('nft', ['list', 'ruleset'])).toEqual(before);
});

async function icmpErrors(family: 'ipv4' | 'ipv6'): Promise<number> {
  const [file, name] =
    family === 'ipv4' ? ['/proc/net/snmp', 'InDestUnreachs'] : ['/proc/net/snmp6', 'Icmp6InDestUnreachs'];
  const { stdout } = await guarded.run('cat', [file]);
  if (family === 'ipv6') return Number(new RegExp(`^${name}\\s+(\\d+)$`, 'm').exec(stdout)?.[1]);
  const [names = '', values = ''] = stdout.split('\n').filter((line) => line.startsWith('Icmp:'));
  return Number(values.split(' ')[names.split(' ').indexOf(name)]);
}
