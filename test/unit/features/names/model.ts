/**
 * A namespace with its kernel, its resolver and its rules, played step by step at random. Whatever leaves for the
 * workload is compared with the policy as `naive-names.ts` writes it, and with what the kernel holds.
 */
import packet from 'dns-packet';
import { expect } from 'vitest';
import { parseAnswer } from '../../../../src/dns/answer.ts';
import { TYPE } from '../../../../src/dns/codes.ts';
import { type Name, sameName } from '../../../../src/dns/name.ts';
import type { DnsRecord } from '../../../../src/dns/record.ts';
import { buildReply } from '../../../../src/dns/reply.ts';
import { NeverGranted } from '../../../../src/features/names/addresses.ts';
import { addressOf } from '../../../../src/features/names/admission.ts';
import {
  type NameState,
  type Received,
  type Released,
  receive,
  type Settled,
  settle,
} from '../../../../src/features/names/exchange.ts';
import { FreshNames } from '../../../../src/features/names/fresh-names.ts';
import { elementKey, type GrantElement, type SentGrant } from '../../../../src/features/names/grant.ts';
import { GrantTable } from '../../../../src/features/names/grant-table.ts';
import { changePolicy } from '../../../../src/features/names/policy-change.ts';
import { formatPrefix, type Prefix } from '../../../../src/net/address.ts';
import { hostOf } from '../../../../src/net/special-addresses.ts';
import { randomOf } from '../../../support/random.ts';
import { message, n } from '../../dns/messages.ts';
import { naiveGrants, naiveMatch, naiveRule } from './naive-names.ts';
import { address, addressRecord, aliasRecord, policyOf } from './names.ts';

const RULES = [
  ...[
    'api.x.test:tcp/443',
    'api.x.test:tcp/80,443',
    '*.x.test:tcp/443',
    '**.x.test:udp/53',
    '**.y.test:tcp/443',
  ],
  ...['db.y.test@10.0.0.0/8:tcp/5432', 'db.y.test@[fd00::]/8:tcp/5432', '*.y.test@0.0.0.0/0,[::]/0:tcp/1'],
];
const NAMES: readonly Name[] = [
  ...[
    'api.x.test',
    'a.x.test',
    'b.a.x.test',
    'x.test',
    'db.y.test',
    'a.y.test',
    'a.b.y.test',
    'evil.test',
    'test',
  ],
  ...['api.x.test.corp.lan', 'API.x.TEST'],
].map((text) => text.split('.'));
const ODD_NAMES: readonly Name[] = [
  ['api.x', 'test'],
  ['a', 'x.test'],
  ['\xff', 'x', 'test'],
  ['a.b', 'x', 'test'],
  [],
];

/** Of this host. */
const OWN = '9.9.9.1';
const mapped = (last: bigint): Prefix => hostOf(6, (0xffffn << 32n) + last);
const ADDRESSES: readonly Prefix[] = [
  ...[
    '1.1.1.1',
    '1.1.1.2',
    '8.8.4.4',
    '10.0.0.1',
    '10.1.0.2',
    '127.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    OWN,
  ],
  ...[
    '2606:4700::1',
    'fd00::1',
    '::1',
    'fe80::1',
    '64:ff9b::a00:1',
    '64:ff9b::808:808',
    '64:ff9b::7f00:1',
    '2002:a00:1::',
  ],
]
  .map(address)
  .concat([mapped(0x01010101n), mapped(0x7f000001n)]);
const TYPES = [TYPE.A, TYPE.A, TYPE.A, TYPE.AAAA, TYPE.AAAA, TYPE.TXT, TYPE.HTTPS, TYPE.CNAME, TYPE.ANY];
const TTLS = [0, 1, 30, 60, 3_600, 200_000, 0x7fff_ffff];

type Resolving = Extract<Received, { kind: 'resolve' }>;
/** A question at a resolver, or an answer that waits for the kernel. */
type Open =
  | { readonly asked: Resolving; readonly labels: Name }
  | {
      readonly settled: Settled;
      readonly at: number;
      readonly labels: Name;
      readonly type: number;
      /** Addresses of the name that the chain ends at. */
      readonly ends: readonly Prefix[];
    };

type Waiting = Extract<Open, { settled: Settled }>;

const LIMITS = { perName: 4, perNamespace: 9 };

export class NamesModel {
  readonly counts = { questions: 0, answers: 0, addresses: 0, failures: 0, taken: 0 };
  readonly #random: () => number;
  readonly #grace: number;
  readonly #open: Open[] = [];
  /** Class and address → the element, and when the kernel drops it. */
  readonly #kernel = new Map<string, { readonly element: GrantElement; readonly until: number }>();
  /** Address → the names for which a resolver has answered with it. */
  readonly #names = new Map<string, Set<string>>();
  #rules: readonly string[];
  #state: NameState;
  #now = 1_000_000;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.#grace = this.#one([0, 5, 300]);
    this.#rules = RULES;
    this.#state = {
      policy: this.#policy(),
      fresh: new FreshNames({ perMinute: 30, memory: 20 }),
      grants: new GrantTable(LIMITS),
    };
  }

  step(): void {
    const chance = this.#random();
    if (chance < 0.35) this.#ask();
    else if (chance < 0.85) this.#advance();
    else if (chance < 0.93) this.#wait();
    else if (chance < 0.98) this.#changeRules();
    else this.#restart();
  }

  #wait(): void {
    this.#now += Math.floor(this.#random() * this.#one([1, 1_000, 60_000, 400_000]));
    this.#removeFromKernel(this.#state.grants.expire(this.#now));
  }

  #one<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  #policy() {
    const never = new NeverGranted([{ prefix: address(OWN), meaning: "this host's" }]);
    return policyOf(this.#rules, { grace: this.#grace, never });
  }

  #ask(): void {
    const labels = this.#one(this.#random() < 0.9 ? NAMES : ODD_NAMES);
    const type = this.#one(TYPES);
    const question = message(7, 0x0100, 1, 0, 0, 0, n(...labels), type, 1);
    if (this.#random() < 0.1)
      question[Math.floor(this.#random() * question.length)] = Math.floor(this.#random() * 256);
    const received = receive(this.#state, question, 'tcp', this.#now);
    this.counts.questions++;
    if (received.kind === 'reply') this.#check(received.bytes, [], this.#now);
    if (received.kind === 'resolve') this.#open.push({ asked: received, labels: received.question.name });
  }

  /** One of the open questions goes on. */
  #advance(): void {
    const [one] = this.#open.splice(Math.floor(this.#random() * this.#open.length), 1);
    if (one === undefined) return;
    if ('settled' in one) {
      this.#grantAndRelease(one);
      return;
    }
    const { asked, labels } = one;
    const { answer, end } = this.#resolve(asked);
    const ends = (answer?.records ?? []).filter(({ name }) => sameName(name, end));
    for (const to of answer?.records.flatMap((record) => addressOf(record) ?? []) ?? []) {
      const key = formatPrefix(to);
      this.#names.set(key, (this.#names.get(key) ?? new Set()).add(labels.join('/')));
    }
    const settled = settle(this.#state, asked, answer, 'tcp', this.#now);
    if (settled.fault !== undefined) this.counts.failures++;
    this.#open.push({
      settled,
      at: this.#now,
      labels,
      type: asked.question.type,
      ends: ends.flatMap((record) => addressOf(record) ?? []),
    });
    // Mostly at once; sometimes others come between.
    if (this.#random() < 0.8) this.#grantAndRelease(this.#open.pop());
  }

  /** What a resolver answers: a chain, addresses at its end and elsewhere; or nothing. */
  #resolve({ question }: Resolving) {
    const records: DnsRecord[] = [];
    let end = question.name;
    if (this.#random() < 0.05) return { answer: undefined, end };
    for (let steps = Math.floor(this.#random() * 3); steps > 0; steps--) {
      const next = this.#one(NAMES).map((label) => label.toLowerCase());
      records.push(aliasRecord(end, next, TYPE.CNAME, this.#one(TTLS)));
      end = next;
    }
    for (let count = Math.floor(this.#random() * 6); count > 0; count--) {
      const owner = this.#random() < 0.8 ? end : this.#one(NAMES);
      records.push(addressRecord(owner, this.#one(ADDRESSES), this.#one(TTLS)));
    }
    const bytes = buildReply(question, { rcode: 0, records }, 'tcp');
    const parsed = parseAnswer(bytes, question);
    return { answer: 'answer' in parsed ? parsed.answer : undefined, end };
  }

  #grantAndRelease(open: Open | undefined): void {
    if (open === undefined || 'asked' in open) return;
    const { settled } = open;
    for (const element of settled.send) {
      if (this.#random() < 0.02) {
        this.#deliver(settled.abandon(this.#now), open);
        return;
      }
      this.#putInKernel(element);
      this.counts.taken++;
    }
    this.#deliver(settled.release(this.#now), open);
  }

  #deliver({ bytes, orphans }: Released, { labels, type, at, ends }: Waiting): void {
    this.#removeFromKernel(orphans);
    const { rcode, addresses } = this.#check(bytes, labels, at);
    if (rcode !== 'NOERROR') return;
    const rules = this.#rules.map(naiveRule).filter((rule) => naiveMatch(rule, labels));
    const expected = ends
      .filter(({ family }) => type === (family === 4 ? TYPE.A : TYPE.AAAA))
      .map(formatPrefix)
      .filter((to) => rules.some((rule) => naiveGrants(rule, to, [OWN])));
    expect(addresses.map(formatPrefix)).toEqual(expected);
  }

  /** The kernel counts from when it gets the element, and not from when that was reserved. */
  #putInKernel(element: SentGrant): void {
    const key = elementKey(element);
    const until = Math.max(this.#kernel.get(key)?.until ?? 0, this.#now + element.timeout * 1_000);
    this.#kernel.set(key, { element, until });
  }

  #changeRules(): void {
    this.#rules = RULES.filter(() => this.#random() < 0.6);
    const { removed, reservations } = changePolicy(this.#state, this.#policy(), this.#now);
    this.#removeFromKernel(removed);
    for (const { send, confirm } of reservations) {
      for (const element of send) this.#putInKernel(element);
      this.#removeFromKernel(confirm(this.#now).orphans);
    }
    this.#checkKernel();
  }

  /** The state file is read, answers on their way are lost. What was sent for them stays in the kernel. */
  #restart(): void {
    const grants = new GrantTable(LIMITS);
    grants.restore(this.#state.grants.held(this.#now), this.#now);
    this.#state = { ...this.#state, grants };
    this.#open.length = 0;
  }

  #removeFromKernel(elements: readonly GrantElement[]): void {
    for (const element of elements) this.#kernel.delete(elementKey(element));
  }

  /** No answer leaves unless each of its addresses is granted, in every set that a rule names. */
  #check(bytes: Uint8Array, labels: Name, settledAt: number) {
    const { answers = [], ...decoded } = packet.decode(Buffer.from(bytes));
    this.counts.answers++;
    const addresses = answers.flatMap((answer) => {
      if (answer.type !== 'A' && answer.type !== 'AAAA') return [];
      this.counts.addresses++;
      const to = address(answer.data);
      this.#checkAddress(to, labels, settledAt + (answer.ttl ?? 0) * 1_000);
      return [to];
    });
    return { rcode: 'rcode' in decoded ? decoded.rcode : undefined, addresses };
  }

  #checkAddress(to: Prefix, labels: Name, until: number): void {
    const granting = this.#rules
      .map(naiveRule)
      .filter((rule) => naiveMatch(rule, labels) && naiveGrants(rule, formatPrefix(to), [OWN]));
    expect(
      granting.map(({ text }) => text),
      `${labels.join('.')} ${formatPrefix(to)}`,
    ).not.toEqual([]);
    for (const { portClass } of granting) {
      const held = this.#kernel.get(elementKey({ portClass, address: to }))?.until ?? 0;
      expect(held, `${labels.join('.')} ${formatPrefix(to)} ${portClass}`).toBeGreaterThan(this.#now);
      expect(held).toBeGreaterThanOrEqual(until);
    }
  }

  /** After a change of rules the kernel holds nothing that no name may have. */
  #checkKernel(): void {
    const rules = this.#rules.map(naiveRule);
    for (const [key, { element, until }] of this.#kernel) {
      if (until <= this.#now) continue;
      const to = formatPrefix(element.address);
      const names = [...(this.#names.get(to) ?? [])].map((name) => name.split('/'));
      const isAllowed = rules.some(
        (rule) =>
          rule.portClass === element.portClass &&
          naiveGrants(rule, to, [OWN]) &&
          names.some((name) => naiveMatch(rule, name)),
      );
      expect(isAllowed, key).toBe(true);
    }
  }
}
