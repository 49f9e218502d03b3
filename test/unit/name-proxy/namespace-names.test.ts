import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/dns/answer.ts';
import { FORGOTTEN } from '../../../src/features/names/grant.ts';
import { DEFAULT_NAME_LIMITS } from '../../../src/name-proxy/limits.ts';
import { type AdoptedNames, NamespaceNames } from '../../../src/name-proxy/namespace-names.ts';
import { NO_RESOLVER } from '../../../src/name-proxy/resolver.ts';
import { Turns } from '../../../src/name-proxy/turns.ts';
import { aliveDatagram, grantDatagram, PROXY_ADDRESSES } from '../../../src/policy/name-seal.ts';
import { address, formatElement, numberClasses, policyOf } from '../features/names/names.ts';
import { FakeSocket, type Sent } from './fake-socket.ts';
import { addressAnswer, formatAnswer, questionBytes } from './messages.ts';

const PORT = 5_353;
const RULES = ['**.x.test:tcp/443'];

/** A namespace with a kernel that takes grants as the text has them, and a resolver that knows addresses of names. */
const setup = ({ adopted, isMoved = false }: { adopted?: AdoptedNames; isMoved?: boolean } = {}) => {
  const at = { now: 1_000_000 };
  const udp = new FakeSocket();
  const docker = new FakeSocket();
  const kernel = { takes: true };
  const isSeal = ({ port, address: to }: Sent) => port === PORT && to === PROXY_ADDRESSES[4];
  udp.outcome = (sent) => (isSeal(sent) && kernel.takes ? 'EPERM' : undefined);
  const addresses = new Map<string, string>();
  const ask = ({ name }: { readonly name: readonly string[] }): Promise<Answer | undefined> => {
    const to = addresses.get(name.join('.'));
    return Promise.resolve(to === undefined ? undefined : addressAnswer(name.join('.'), to));
  };
  const names = new NamespaceNames({
    ...{
      key: 'a',
      policy: policyOf(RULES),
      limits: DEFAULT_NAME_LIMITS,
      now: () => at.now,
      adopted,
      isMoved,
    },
    turns: new Turns(() => 0),
    onDefect: (error) => {
      throw error;
    },
    resolvers: { docker: NO_RESOLVER, consul: NO_RESOLVER, upstream: { ask, close: () => undefined } },
    sockets: {
      ...{ port: PORT, dockerPort: 1, udp: [udp], tcp: [], docker, grants: udp.grantsTo(PORT) },
      close: () => {
        udp.close();
      },
    },
  });
  const query = async (name: string) => {
    const before = udp.sent.length;
    udp.receive(questionBytes(name), '172.18.0.5', 40_000);
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    const sent = udp.sent.slice(before).filter((one) => !isSeal(one));
    return sent.map(({ bytes, address: to, port }) => `${formatAnswer(bytes)} to ${to}:${port}`);
  };
  const seals = () => udp.sent.filter(isSeal).map(({ bytes }) => Buffer.from(bytes).toString('hex', 16));
  const elements = () => names.text().granted.map((one) => `${formatElement(one)} ${one.seconds}`);
  return { at, udp, kernel, addresses, names, query, seals, elements };
};

/** Served under the rules. */
const begun = async (rules: readonly string[] = RULES) => {
  const all = setup();
  await all.names.hold();
  all.names.changePolicy(policyOf(rules));
  all.names.resume(numberClasses(policyOf(rules).index.rules));
  return all;
};

const GRANT = 'b10a0403'; // tcp/443, IPv4, 360 s
const REMOVE = 'b10a0400';
const ALIVE = 'ffff04000106113a';

describe('a question', () => {
  it('is answered to where it came from, after its grant', async () => {
    const { addresses, query, names, seals } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
    expect(seals()).toEqual([ALIVE, `${GRANT}01010101`]);
    expect(names.report()).toMatchObject({
      ...{ state: 'answering', reasons: [], counts: { asked: 1, answered: 1 } },
      grants: [{ name: 'a.x.test', address: '1.1.1.1', ports: 'tcp/443', until: 1_360_000 }],
    });
  });

  it('waits for the first text', async () => {
    const { addresses, query, names, udp } = setup();
    addresses.set('a.x.test', '1.1.1.1');
    expect(await query('a.x.test')).toEqual([]);
    expect(names.report().state).toBe('waiting');
    names.resume(new Map([['tcp/443', 0xb10a]]));
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    expect(formatAnswer(udp.sent.at(-1)?.bytes)).toBe('NOERROR 1.1.1.1 60');
  });

  it('fails while the kernel takes no grants, and the report says so', async () => {
    const { addresses, query, names, kernel } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    kernel.takes = false;
    expect(await query('a.x.test')).toEqual(['SERVFAIL to 172.18.0.5:40000']);
    expect(names.report()).toMatchObject({
      ...{ state: 'unavailable', reasons: ['the kernel does not take grants'] },
    });
    kernel.takes = true;
    expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
    expect(names.report().state).toBe('answering');
  });
});

describe('a datagram of ours that comes back', () => {
  it('with the secret ends all grants, until a text has another one', async () => {
    const { addresses, query, names, udp, seals } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    const { secret } = names;
    udp.receive(grantDatagram(secret, 0, address('1.1.1.1'), 60), PROXY_ADDRESSES[4], PORT);
    const before = seals().length;
    expect(await query('a.x.test')).toEqual(['SERVFAIL to 172.18.0.5:40000']);
    expect(seals()).toHaveLength(before);
    expect(names.report().reasons).toEqual(['the rules of the namespace are not loaded any more']);
    await names.hold();
    expect(names.secret).not.toEqual(secret);
    names.resume(new Map([['tcp/443', 0xb10a]]));
    expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
  });

  it('while a text with that secret is loaded ends its grants too', async () => {
    const { addresses, query, names, udp, seals } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await names.hold();
    const { secret } = names.text();
    udp.receive(aliveDatagram(secret), PROXY_ADDRESSES[4], PORT);
    const before = seals().length;
    names.resume(new Map([['tcp/443', 0xb10a]]));
    expect(await query('a.x.test')).toEqual(['SERVFAIL to 172.18.0.5:40000']);
    expect([names.report().state, seals().length]).toEqual(['unavailable', before]);
    await names.hold();
    expect(names.text().secret).not.toEqual(secret);
    names.resume(new Map([['tcp/443', 0xb10a]]));
    expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
  });

  it('without it changes nothing, and is no question', async () => {
    const { udp, names, query, addresses } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    udp.receive(new Uint8Array(24), PROXY_ADDRESSES[4], PORT);
    expect(names.report().counts).toMatchObject({ asked: 0, malformed: 0 });
    await names.hold();
    names.resume(new Map([['tcp/443', 0xb10a]]));
    expect(await query('a.x.test')).toHaveLength(1);
  });

  it('is only one if it comes from our own address and port', async () => {
    const { udp, names } = await begun();
    udp.receive(grantDatagram(names.secret, 0, address('1.1.1.1'), 60), '127.0.0.1', PORT);
    expect(names.report()).toMatchObject({ state: 'answering', counts: { malformed: 1 } });
  });
});

describe('a load', () => {
  it('has all that is granted, with the time that remains', async () => {
    const { addresses, query, names, at, elements } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    addresses.set('b.x.test', '1.1.1.2');
    await query('a.x.test');
    at.now += 100_500;
    await query('b.x.test');
    await names.hold();
    expect(elements()).toEqual(['1.1.1.1 tcp/443 260', '1.1.1.2 tcp/443 360']);
    expect(names.secret).toHaveLength(16);
  });

  it('has what new rules grant of known addresses, which counts when it is loaded', async () => {
    const { addresses, query, names, elements, seals } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await query('a.x.test');
    const before = seals().length;
    await names.hold();
    names.changePolicy(policyOf([...RULES, 'a.x.test:tcp/80']));
    expect(elements()).toEqual(['1.1.1.1 tcp/80 360', '1.1.1.1 tcp/443 360']);
    names.resume(
      new Map([
        ['tcp/443', 0],
        ['tcp/80', 1],
      ]),
    );
    expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
    expect(seals().slice(before)).toEqual([ALIVE]);
  });

  it('that fails leaves nothing granted that the old text has not', async () => {
    const { addresses, query, names } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await query('a.x.test');
    await names.hold();
    names.changePolicy(policyOf([...RULES, 'a.x.test:tcp/80']));
    names.text();
    names.resume();
    // The old text has no class for the new rule: no grant, so no answer.
    expect(await query('a.x.test')).toEqual(['SERVFAIL to 172.18.0.5:40000']);
    expect(names.report().grants.map(({ ports }) => ports)).toEqual(['tcp/443']);
  });

  it('removes what has gone at once, and again when it has ended', async () => {
    const { addresses, query, names, elements, seals } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await query('a.x.test');
    const before = seals().length;
    await names.hold();
    names.changePolicy(policyOf(['b.x.test:tcp/443']));
    expect(seals().slice(before)).toEqual([`${REMOVE}01010101`]);
    expect(elements()).toEqual([]);
    names.resume(new Map([['tcp/443', 0xb10a]]));
    expect(seals().slice(before)).toEqual([`${REMOVE}01010101`, `${REMOVE}01010101`, ALIVE]);
  });
});

describe('flows that were admitted by name', () => {
  /** A name whose grant has ended, but for which flows may go on. */
  const past = async () => {
    const all = await begun(['a.x.test:tcp/443', 'b.x.test:tcp/443']);
    for (const [name, to] of [
      ['a.x.test', '1.1.1.1'],
      ['b.x.test', '1.1.1.2'],
    ] as const) {
      all.addresses.set(name, to);
      await all.query(name);
    }
    all.at.now += 400_000;
    all.names.tick();
    const kept = () => all.names.text().kept.map(formatElement);
    return { ...all, kept, secret: all.names.secret };
  };

  it('go on after their grants, over loads', async () => {
    const { names, kept, elements, secret } = await past();
    await names.hold();
    names.changePolicy(policyOf(['**.x.test:tcp/443']));
    expect(elements()).toEqual([]);
    expect(kept()).toEqual(['1.1.1.1 tcp/443', '1.1.1.2 tcp/443']);
    expect(names.secret).toEqual(secret);
  });

  it('go on in a text that is made in the second in which their grants end, also while another one is loaded', async () => {
    const { addresses, query, names, at, elements } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await query('a.x.test');
    await names.hold();
    at.now += 360_000;
    expect(elements()).toEqual([]);
    expect(names.text().kept.map(formatElement)).toEqual(['1.1.1.1 tcp/443']);
  });

  it('end by another secret when the name goes, and others go on', async () => {
    const { names, kept, secret } = await past();
    names.changePolicy(policyOf(['b.x.test:tcp/443']));
    expect(kept()).toEqual(['1.1.1.2 tcp/443']);
    expect(names.secret).not.toEqual(secret);
  });

  it('end the same way while they are granted; datagrams have the secret of the loaded text', async () => {
    const { addresses, query, names, seals, udp } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    await query('a.x.test');
    const loaded = names.adoptable()?.secret;
    names.changePolicy(policyOf(['b.x.test:tcp/443']));
    expect(names.secret).not.toEqual(loaded);
    expect(seals().at(-1)).toBe(`${REMOVE}01010101`);
    expect(Buffer.from(udp.sent.at(-1)?.bytes ?? []).subarray(0, 16)).toEqual(loaded);
    await names.hold();
    const { secret } = names.text();
    names.resume(new Map([['tcp/443', 0]]));
    expect(names.adoptable()?.secret).toEqual(secret);
  });
});

describe('a change without a load', () => {
  it('removes and grants by datagrams', async () => {
    const rules = ['a.x.test:tcp/443', 'b.x.test:tcp/80'];
    const { addresses, query, names, seals } = await begun(rules);
    addresses.set('a.x.test', '1.1.1.1');
    addresses.set('b.x.test', '1.1.1.2');
    for (const name of ['a.x.test', 'b.x.test']) await query(name);
    const before = seals().length;
    names.changePolicy(policyOf(['b.x.test:tcp/443', 'b.x.test:tcp/80']));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(seals().slice(before)).toEqual([`${REMOVE}01010101`, `${GRANT}01010102`]);
    expect(names.report().grants.map(({ name, ports }) => `${name} ${ports}`)).toEqual([
      ...['b.x.test tcp/80', 'b.x.test tcp/443'],
    ]);
  });
});

describe('each second', () => {
  it('what names need no longer is removed, again until the kernel has done it', async () => {
    const { addresses, query, names, at, seals, kernel } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    names.changePolicy(policyOf(RULES, { grace: 10 }));
    await query('a.x.test');
    const removals = () => seals().filter((one) => one.startsWith(REMOVE));
    kernel.takes = false;
    at.now += 69_999;
    names.tick();
    expect(removals()).toEqual([]);
    at.now += 1;
    names.tick();
    await new Promise(setImmediate);
    kernel.takes = true;
    names.tick();
    await new Promise(setImmediate);
    names.tick();
    expect(removals()).toEqual([`${REMOVE}01010101`, `${REMOVE}01010101`]);
    expect(names.report().grants).toEqual([]);
  });

  it('what is held again is not removed', async () => {
    const { addresses, query, names, at, seals, kernel } = await begun();
    addresses.set('a.x.test', '1.1.1.1');
    names.changePolicy(policyOf(RULES, { grace: 10 }));
    await query('a.x.test');
    kernel.takes = false;
    at.now += 70_000;
    names.tick();
    await new Promise(setImmediate);
    kernel.takes = true;
    await query('a.x.test');
    const before = seals().length;
    names.tick();
    expect(seals().slice(before)).toEqual([]);
  });

  it('the kernel is told that names are answered, often enough', async () => {
    const { names, seals } = await begun();
    const before = seals().length;
    for (let second = 0; second < 60; second++) names.tick();
    expect(seals().slice(before)).toEqual(Array.from({ length: 12 }, () => ALIVE));
  });
});

it('goes on with what an earlier run has left', async () => {
  const first = await begun();
  first.addresses.set('a.x.test', '1.1.1.1');
  await first.query('a.x.test');
  const adopted = first.names.adoptable();
  first.names.close();
  if (adopted === undefined) throw new Error('nothing to adopt');
  const { addresses, query, udp, seals } = setup({ adopted });
  addresses.set('a.x.test', '1.1.1.1');
  expect(await query('a.x.test')).toEqual(['NOERROR 1.1.1.1 60 to 172.18.0.5:40000']);
  expect(seals()).toEqual([ALIVE]);
  expect(udp.sent[0]?.bytes).toEqual(aliveDatagram(adopted.secret));
});

describe('what an earlier run has granted and not recorded', () => {
  /** In the kernel, beside what was recorded. */
  const left = (names: NamespaceNames, ...addresses: readonly string[]): AdoptedNames => {
    const adopted = names.adoptable();
    if (adopted === undefined) throw new Error('nothing to adopt');
    const times = { needed: 1_060_000, until: 1_060_000, atMost: 1_061_000 };
    const grants = addresses.map((to) => ({
      ...times,
      portClass: 'tcp/443',
      address: address(to),
      name: FORGOTTEN,
    }));
    return { ...adopted, grants };
  };
  const served = async () => {
    const all = await begun();
    all.addresses.set('a.x.test', '1.1.1.1');
    await all.query('a.x.test');
    return all;
  };

  it('is taken over from the kernel, unless no rule allows it', async () => {
    const { names, elements, seals } = await served();
    expect(await names.complete(async () => left(names, '1.1.1.1', '1.1.1.2', '127.0.0.1'))).toBe(true);
    expect(elements()).toEqual(['1.1.1.1 tcp/443 360', '1.1.1.2 tcp/443 60']);
    expect(seals().at(-1)).toBe(`${REMOVE}7f000001`);
    expect(names.report().grants.map(({ name }) => name)).toEqual(['(unknown)', 'a.x.test']);
  });

  it.each<[string, (names: NamespaceNames) => unknown]>([
    ['a load goes on', (names) => names.hold()],
    ['another text is loaded', (names) => names.resume(new Map([['tcp/443', 0xb10a]]))],
    ['something is removed', (names) => names.changePolicy(policyOf(['b.x.test:tcp/443']))],
  ])('is left if meanwhile %s', async (_what, meanwhile) => {
    const { names, elements } = await served();
    const found = left(names, '1.1.1.2');
    await names.complete(async () => {
      await meanwhile(names);
      return found;
    });
    expect(elements().filter((one) => one.startsWith('1.1.1.2'))).toEqual([]);
  });

  it('may be in sets that were not recorded', async () => {
    const { names, query, addresses, seals } = await served();
    addresses.set('b.x.test', '1.1.1.2');
    names.changePolicy(policyOf([...RULES, 'b.x.test:tcp/80']));
    expect(await query('b.x.test')).toEqual(['SERVFAIL to 172.18.0.5:40000']);
    const found = left(names);
    const numbers = new Map([...found.numbers, ['tcp/80', 0x1234]]);
    await names.complete(async () => {
      // Also if something else is removed meanwhile.
      names.changePolicy(policyOf([...RULES, 'b.x.test:tcp/80'], { grace: 299 }));
      names.changePolicy(policyOf(['b.x.test:tcp/443', 'b.x.test:tcp/80']));
      return { ...found, numbers };
    });
    expect(await query('b.x.test')).toEqual(['NOERROR 1.1.1.2 60 to 172.18.0.5:40000']);
    expect(seals()).toContain('1234040301010102');
    expect(names.adoptable()?.numbers).toEqual(numbers);
  });

  it('is taken over too if the record has an earlier secret, which came back', async () => {
    const { names, elements, udp } = await served();
    const found = { ...left(names, '1.1.1.2'), secret: new Uint8Array(16) };
    await names.complete(async () => {
      udp.receive(aliveDatagram(names.secret), PROXY_ADDRESSES[4], PORT);
      return found;
    });
    expect(elements()).toEqual(['1.1.1.1 tcp/443 360', '1.1.1.2 tcp/443 60']);
    expect(names.text().secret).not.toEqual(found.secret);
    expect(names.report().state).toBe('unavailable');
  });

  it('is left if the text is another one', async () => {
    const { names, elements } = await served();
    const found = { ...left(names, '1.1.1.2'), secret: new Uint8Array(16) };
    expect(await names.complete(async () => found)).toBe(false);
    expect(elements()).toEqual(['1.1.1.1 tcp/443 360']);
  });
});

it('at another port than the text has, sends no secret before the next text, which has what was granted', async () => {
  const first = await begun();
  first.addresses.set('a.x.test', '1.1.1.1');
  await first.query('a.x.test');
  const adopted = first.names.adoptable();
  if (adopted === undefined) throw new Error('nothing to adopt');
  const { names, seals, elements, query, addresses } = setup({ adopted, isMoved: true });
  addresses.set('b.x.test', '1.1.1.2');
  names.changePolicy(policyOf(['a.x.test:tcp/443', 'b.x.test:tcp/443']));
  for (let second = 0; second < 10; second++) names.tick();
  expect(await query('b.x.test')).toEqual([]);
  expect(seals()).toEqual([]);
  await names.hold();
  expect(elements()).toEqual(['1.1.1.1 tcp/443 360']);
  expect(names.text().secret).toEqual(adopted.secret);
  names.resume(adopted.numbers);
  expect(new Set(await query('b.x.test'))).toEqual(new Set(['NOERROR 1.1.1.2 60 to 172.18.0.5:40000']));
});

it('closes its sockets, and answers nothing more', async () => {
  const { names, udp, query } = await begun();
  names.close();
  expect(udp.isClosed).toBe(true);
  const before = udp.sent.length;
  // A load may end later.
  await names.hold();
  names.changePolicy(policyOf([]));
  names.resume(new Map([['tcp/443', 0]]));
  for (let second = 0; second < 10; second++) names.tick();
  expect(await query('evil.test')).toEqual([]);
  expect(udp.sent).toHaveLength(before);
});
