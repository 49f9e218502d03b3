/**
 * Rules about destinations and rules about callers in one namespace: a flow has one conntrack mark, and both tables read it.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import type { Namespace } from '../../lab/netns.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { type HeldAddresses, NOTHING_HELD } from '../../src/features/egress/name-facts.ts';
import { compileEgressTemplate, type EgressTemplate } from '../../src/features/egress/template.ts';
import { INGRESS_SHAPE } from '../../src/features/ingress/context.ts';
import {
  type IngressTemplate,
  loadIngressTemplate,
  renderIngress,
} from '../../src/features/ingress/render.ts';
import { numbersOf, portClasses } from '../../src/policy/port-classes.ts';
import { compileTemplate } from '../../src/rendering/template.ts';
import { address, nameRule } from '../unit/features/names/names.ts';
import { load, netns, packet } from './fixture.ts';
import { PORT, useHost } from './host-fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

await ensureCommands({ conntrack: 'conntrack' });
const { agents, containers, host, outside } = await useHost();
const { a1: guarded, a2: neighbour } = containers;
const WAIT = { timeout: 20_000 };
/** A port that nobody serves: between two servers an echo would go on for ever. */
const QUIET = 4009;
/** Served outside; the first port of a server. */
const SERVER = 80;

beforeAll(() => agents.outside.serve(SERVER));
beforeEach(async () => {
  await netns(guarded, 'clear');
  await guarded.run('conntrack', ['-F']);
  await Promise.all([agents.a1, agents.a2, agents.outside].map((agent) => agent.received()));
});

const included = loadIngressTemplate();
const CALLER = `${outside.ipv4}:tcp/${PORT}`;

async function admit(lines: readonly string[], template = included): Promise<void> {
  const { text } = renderIngress(template, ruleSet(...lines), 'enforce');
  const { exitCode, stderr } = await netns(guarded, 'load ingress', text);
  if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
}

const generation = (...lines: readonly string[]): number => {
  const { text } = renderIngress(included, ruleSet(...lines), 'enforce');
  return Number(/^define generation = (0x\w{8})$/m.exec(text)?.[1]);
};

/** Of the connection from outside, as the container's kernel has it. */
async function mark(): Promise<number> {
  const { stdout } = await guarded.run('conntrack', ['-L', '-p', 'tcp', '-s', outside.ipv4]);
  return Number(/ESTABLISHED .*mark=(\d+)/.exec(stdout)?.[1]);
}

/** A packet at the moment of a load may be lost. */
const opens = (name: string) => expect.poll(() => agents.outside.open(name, guarded.ipv4, PORT), WAIT);
const talks = () => expect.poll(() => agents.outside.talk('x'), WAIT);

/** What a frame needs so that the router sends it back: a call that the container forges in the name of the one outside. */
async function hairpin(): Promise<readonly string[]> {
  const link = async (at: Namespace, device: string) => (await at.run('ip', ['link', 'show', device])).stdout;
  const mac = /link\/ether (\S+)/.exec(await link(host, 'br-a'))?.[1] ?? '';
  const index = /^\d+/.exec(await link(guarded, 'eth0'))?.[0] ?? '';
  return [index, mac, outside.ipv4, guarded.ipv4, `${QUIET}`, 'forged'];
}

/** A text to be replaced by another one. */
type Edit = readonly [string | RegExp, string];

function replaced(source: string, pairs: readonly Edit[]): string {
  return pairs.reduce((text, [from, to]) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`the template has no such text: ${from}`);
    return changed;
  }, source);
}

/** Somebody's own, that compares the whole mark, as the included ones did before there were rules about callers. */
const wholeMark = compileEgressTemplate(
  'whole mark',
  replaced(loadTemplate('nftables').source, [
    ['    ct direction original ct mark & $called_mask == $called accept\n', ''],
    ['    ct direction reply ct mark & $called_mask == $called accept\n', ''],
    ['    ct mark & $called_mask != $called ct mark', '    ct mark'],
    [/ct mark set \$called$/gm, 'ct mark set $inbound'],
  ]),
);

describe.each(['nftables', 'denylist', 'iptables'])('beside the template %s', (name) => {
  /** Rules of another set, which have another generation, in each round. */
  const egress = (round: number, template: string | EgressTemplate = name) =>
    load(guarded, template, { allowed: ruleSet(`10.0.0.${round}:tcp/1`) });

  it('the mark of a call is that of the rules about callers', async () => {
    await egress(1);
    await admit([CALLER]);
    await opens('x').toBe('connected');
    await expect.poll(mark, WAIT).toBe(generation(CALLER));
    await admit([CALLER, `${guarded.ipv4}:tcp/1`]);
    await talks().toBe('hello');
    expect(await mark()).toBe(generation(CALLER, `${guarded.ipv4}:tcp/1`));
  });

  it('a call goes on under other rules about destinations, also the last ones', async () => {
    await egress(1);
    await admit([CALLER]);
    expect(await agents.outside.open('x', guarded.ipv4, PORT)).toBe('connected');
    for (const round of [2, 3]) {
      await egress(round);
      await talks().toBe('hello');
    }
    await netns(guarded, 'clear egress');
    await talks().toBe('hello');
    expect(await mark()).toBe(generation(CALLER));
  });

  it('a caller that is let in is not looked up again', async () => {
    await egress(1);
    await admit([CALLER]);
    await opens('x').toBe('connected');
    await guarded.run('nft', ['flush', 'set', 'inet', 'egresstrator_ingress', 'allowed4_exact']);
    await talks().toBe('hello');
    await opens('y').toBe('ECONNREFUSED');
  });

  it('a caller whose rule is gone is cut, and its server learns it', async () => {
    await egress(1);
    await admit([CALLER]);
    await opens('x').toBe('connected');
    await admit([]);
    await talks().toBe('ECONNRESET');
    await opens('y').toBe('ECONNREFUSED');
  });

  it('a call under a template that compares the whole mark goes on under this one', async () => {
    await egress(1, wholeMark);
    await admit([CALLER]);
    await opens('x').toBe('connected');
    await egress(2);
    await talks().toBe('hello');
    await admit([]);
    await talks().toBe('ECONNRESET');
  });
});

it('a template that compares the whole mark works as before', async () => {
  await load(guarded, wholeMark);
  await admit([CALLER]);
  await opens('x').toBe('connected');
  await talks().toBe('hello');
  expect(await mark()).toBe(1);
  await admit([]);
  await talks().toBe('ECONNRESET');
});

/** Each with the check of source addresses left out: the mark alone must hold. */
const UNCHECKED = [
  ['nftables', '    fib saddr type != local goto spoofed\n'],
  ['iptables', /^-A EGRESSTRATOR-OUT -m addrtype .*\n/m],
] as const;

describe.each(UNCHECKED)('%s without its check of source addresses', (name, line) => {
  const template = compileEgressTemplate(name, replaced(loadTemplate(name).source, [[line, '']]));

  it('does not take an answer to a forged call for one to a caller that is let in', async () => {
    await load(guarded, template);
    await admit([`${outside.ipv4}:udp`]);
    await expect.poll(() => agents.outside.ask(guarded.ipv4, PORT, 4101), WAIT).toBe('hello');
    const send = (from: string, source: number, to: string, port: number) =>
      packet(guarded, 'datagram', from, to, `${source}`, `${port}`, 'forged');
    expect(await send(outside.ipv4, PORT, guarded.ipv4, QUIET)).toBe('sent');
    expect(await send(guarded.ipv4, QUIET, outside.ipv4, PORT)).toBe('Operation not permitted');
    expect(await agents.outside.received()).not.toContain('forged');
  });
});

describe.each(['nftables', 'iptables'])('before the first rules of the template %s', (name) => {
  it('a call is cut once', async () => {
    await admit([CALLER]);
    expect(await agents.outside.open('x', guarded.ipv4, PORT)).toBe('connected');
    await load(guarded, name);
    await talks().toBe('ECONNRESET');
    expect(await agents.outside.open('x', guarded.ipv4, PORT)).toBe('connected');
  });

  it('a call that the container forged is none', async () => {
    const send = (from: string, source: number, to: string, port: number) =>
      packet(guarded, 'datagram', from, to, `${source}`, `${port}`, 'forged');
    await admit([`${outside.ipv4}:udp`]);
    // The router sends it back, and the kernel what goes to a group: both come from the link.
    expect(await packet(guarded, 'frame', ...(await hairpin()))).toBe('sent');
    expect(await send(outside.ipv4, 9, '224.0.0.1', QUIET)).toBe('sent');
    const flows = () => guarded.run('conntrack', ['-L', '-p', 'udp', '-s', outside.ipv4]);
    for (const to of [guarded.ipv4, '224.0.0.1'])
      await expect.poll(async () => (await flows()).stdout, WAIT).toContain(`dst=${to} `);
    await load(guarded, name);
    for (const from of [guarded.ipv4, '224.0.0.1'])
      expect(await send(from, QUIET, outside.ipv4, 9)).toBe('Operation not permitted');
  });
});

describe('a call of the container that is older than all rules', () => {
  /** The other side's packets come first, and seem to be those of a caller that is let in. */
  const letIn = `${outside.ipv4}:tcp`;
  const begin = async (template: IngressTemplate): Promise<void> => {
    await netns(guarded, 'clear');
    await expect.poll(() => agents.a1.open('old', outside.ipv4, SERVER), WAIT).toBe('connected');
    await admit([letIn], template);
    await guarded.run('conntrack', ['-F']);
    await agents.outside.speak();
    const flow = () =>
      guarded.run('conntrack', ['-L', '-s', outside.ipv4, '-p', 'tcp', '--sport', `${SERVER}`]);
    await expect.poll(async () => (await flow()).stdout, WAIT).toContain(`sport=${SERVER}`);
    await load(guarded, 'nftables');
  };
  const talksOn = () => expect.poll(() => agents.a1.talk('old'), WAIT);

  it('does not become one of a caller, to which the container may answer', async () => {
    const careless = compileTemplate(
      'careless',
      replaced(included.source, [
        [
          'ct mark 0 tcp flags & (fin | syn | rst | ack) == syn ct mark set $generation_alone',
          'ct mark 0 ct mark set $generation',
        ],
      ]),
      INGRESS_SHAPE,
    );
    await begin(careless);
    await talksOn().toContain('hello');
    await begin(included);
    await talksOn().toBe('ECONNRESET');
  });
});

it('who was never let in gets no mark', async () => {
  await load(guarded, 'nftables');
  await admit([CALLER]);
  await expect.poll(() => agents.a2.open('x', guarded.ipv4, PORT), WAIT).toBe('ECONNREFUSED');
  const { stdout } = await guarded.run('conntrack', ['-L', '-s', neighbour.ipv4]);
  expect(stdout).toBe('');
});

describe('beside rules by name', () => {
  const [TCP, UDP] = [`tcp/${SERVER}`, 'udp/9'];
  const classes = portClasses([TCP, UDP].map((ports) => nameRule(`a.test:${ports}`)));
  const numbers = numbersOf(classes);
  const held = (ports: string) => ({
    ...{ number: numbers.get(ports) ?? 0, address: address(outside.ipv4), seconds: 60 },
  });
  /** The proxy does not matter here: what it has granted is in the text. */
  async function loadNamed(
    addresses: Partial<HeldAddresses>,
    {
      round = 1,
      secret = 'aa',
      edits = [],
    }: { round?: number; secret?: string; edits?: readonly Edit[] } = {},
  ): Promise<void> {
    const allowed = ruleSet(`10.0.0.${round}:tcp/1`);
    const { text } = renderWith('nftables', { dns: 'names', classes, allowed });
    const names = { secret: secret.repeat(16), port: 4053 };
    const whole = withFacts(
      text,
      { resolvers: [], attachments: [], names },
      { ...NOTHING_HELD, ...addresses },
    );
    const { exitCode, stderr } = await netns(guarded, 'load egress', replaced(whole, edits));
    if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
  }
  const speaks = (name: string) => expect.poll(() => agents.a1.talk(name), WAIT);

  it('a call goes on, and a flow by name as long as its name, whatever is loaded', async () => {
    await admit([CALLER]);
    await loadNamed({ granted: [held(TCP)] });
    await opens('x').toBe('connected');
    await expect.poll(() => agents.a1.open('named', outside.ipv4, SERVER), WAIT).toBe('connected');
    await loadNamed({}, { round: 2 });
    await admit([CALLER, `${guarded.ipv4}:tcp/1`]);
    await loadNamed({ kept: [held(TCP)] }, { round: 3, secret: 'bb' });
    await talks().toBe('hello');
    await speaks('named').toBe('hello');
    expect(await agents.a1.open('new', outside.ipv4, SERVER)).not.toBe('connected');
    await loadNamed({}, { round: 3, secret: 'cc' });
    await speaks('named').toBe('ECONNRESET');
    await talks().toBe('hello');
    await admit([]);
    await talks().toBe('ECONNRESET');
  });

  const MARKS =
    'ct mark & $called_mask != $called ct mark != { 0, $inbound, $older, $alone } @nh,128,32 @kept';
  const ANY_MARK: Edit = [new RegExp(MARKS.replace(/[{}$]/g, '\\$&'), 'g'), 'ct mark != 0 @nh,128,32 @kept'];
  const ANY_WAY: Edit = [/ct direction original (?=ct mark [^@]*@nh,128,32 @kept)/g, ''];

  it('a call that the container forged is no flow that was admitted by name: two checks, each alone', async () => {
    const send = () => packet(guarded, 'datagram', guarded.ipv4, outside.ipv4, `${QUIET}`, '9', 'forged');
    await admit([`${outside.ipv4}:udp`]);
    // What goes to a group comes back from the link.
    const toGroup = [outside.ipv4, '224.0.0.1', '9', `${QUIET}`, 'forged'];
    expect(await packet(guarded, 'frame', ...(await hairpin()))).toBe('sent');
    expect(await packet(guarded, 'datagram', ...toGroup)).toBe('sent');
    const flows = () => guarded.run('conntrack', ['-L', '-p', 'udp', '-s', outside.ipv4]);
    await expect.poll(async () => (await flows()).stdout, WAIT).toContain(`dst=${guarded.ipv4} `);
    for (const [round, edits] of [[], [ANY_MARK], [ANY_WAY]].entries()) {
      await loadNamed({ kept: [held(UDP)] }, { round, edits });
      expect(await send()).toBe('Operation not permitted');
    }
    await loadNamed({ kept: [held(UDP)] }, { edits: [ANY_MARK, ANY_WAY] });
    expect(await send()).toBe('sent');
  });

  it('a connection that is older than all rules is none either', async () => {
    const begin = async (edits: readonly Edit[]) => {
      await netns(guarded, 'clear');
      await expect.poll(() => agents.a1.open('old', outside.ipv4, SERVER), WAIT).toBe('connected');
      await loadNamed({ kept: [held(TCP)] }, { edits });
    };
    await begin([[/ct mark != \{ 0, /g, 'ct mark != { ']]);
    await speaks('old').toBe('hello');
    await begin([]);
    await speaks('old').toBe('ECONNRESET');
  });
});
