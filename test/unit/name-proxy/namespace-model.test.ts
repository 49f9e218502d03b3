/**
 * A namespace that is asked, loaded and changed at random, with a kernel that sometimes takes no grants and a resolver
 * that sometimes has no answer. No answer leaves unless the kernel has each of its addresses at that moment.
 */
import packet from 'dns-packet';
import { expect, it } from 'vitest';
import { matchRules } from '../../../src/features/names/matching.ts';
import { DEFAULT_NAME_LIMITS } from '../../../src/name-proxy/limits.ts';
import { NamespaceNames } from '../../../src/name-proxy/namespace-names.ts';
import { NO_RESOLVER } from '../../../src/name-proxy/resolver.ts';
import { Turns } from '../../../src/name-proxy/turns.ts';
import { PROXY_ADDRESSES } from '../../../src/policy/name-seal.ts';
import { classOf } from '../../../src/policy/port-classes.ts';
import { randomOf } from '../../support/random.ts';
import { address, addressRecord, dotted, numberClasses, policyOf } from '../features/names/names.ts';
import { FakeSocket, type Sent } from './fake-socket.ts';
import { KernelModel } from './kernel-model.ts';
import { answerOf, questionBytes } from './messages.ts';

const PORT = 5_353;
const RULES = ['a.x.test:tcp/443', '*.x.test:tcp/80', '**.y.test:tcp/443', 'b.y.test:udp/53'];
const NAMES = ['a.x.test', 'b.x.test', 'b.y.test', 'c.b.y.test', 'evil.test'];
const ADDRESSES = ['1.1.1.1', '1.1.1.2', '8.8.8.8', '9.9.9.9', '10.0.0.1'];
const STEPS = Number(process.env.EGRESSTRATOR_NAMES_STEPS ?? 4_000);

class Model {
  readonly counts = { answers: 0, addresses: 0, failures: 0, loads: 0, taken: 0 };
  /** Addresses that have left without a grant. */
  readonly faults: string[] = [];
  readonly #random: () => number;
  readonly #kernel = new KernelModel();
  readonly #udp = new FakeSocket();
  readonly #names: NamespaceNames;
  #rules: readonly string[] = RULES;
  #now = 1_000_000;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.#udp.outcome = (sent) => this.#outcome(sent);
    this.#names = new NamespaceNames({
      ...{ key: 'a', policy: policyOf(RULES, { grace: 20 }), limits: DEFAULT_NAME_LIMITS },
      ...{ now: () => this.#now, turns: new Turns(() => 0) },
      onDefect: (error) => this.faults.push(String(error)),
      resolvers: {
        ...{ docker: NO_RESOLVER, consul: NO_RESOLVER },
        upstream: { ask: (question) => this.#resolve(question.name), close: () => undefined },
      },
      sockets: {
        ...{ port: PORT, dockerPort: 1, udp: [this.#udp], tcp: [], docker: new FakeSocket() },
        grants: this.#udp.grantsTo(PORT),
        close: () => undefined,
      },
    });
  }

  async step(): Promise<void> {
    const chance = this.#random();
    if (chance < 0.6) this.#ask();
    else if (chance < 0.7) await this.#load();
    else if (chance < 0.8) this.#changeRules();
    else if (chance < 0.95) this.#wait();
    else if (chance < 0.98) this.#kernel.isFull = !this.#kernel.isFull;
    else this.#kernel.drop();
    if (this.#random() < 0.5) await turn();
  }

  /** In the end a load and quiet: then the kernel has what is granted, and nothing else. */
  async end(): Promise<void> {
    for (let times = 0; times < 20; times++) await turn();
    this.#kernel.isFull = false;
    await this.#load(true);
    for (let times = 0; times < 20; times++) await turn();
    this.#names.tick();
    await turn();
    if (this.faults.length > 0) return;
    const granted = this.#names.report().grants.map((one) => `${one.address} ${one.ports}`);
    // A text has whole seconds, and loading it took time.
    const extra = this.#kernel.keys(this.#now + 1_500).filter((one) => !granted.includes(one));
    const missing = granted.filter((one) => !this.#kernel.keys(this.#now).includes(one));
    this.faults.push(...extra.map((one) => `extra ${one}`), ...missing.map((one) => `missing ${one}`));
  }

  #one<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  #ask(): void {
    this.#udp.receive(questionBytes(this.#one(NAMES)), '172.18.0.5', 40_000);
  }

  async #resolve(name: readonly string[]) {
    if (this.#random() < 0.3) await turn();
    if (this.#random() < 0.05) return undefined;
    const found = ADDRESSES.filter(() => this.#random() < 0.4);
    return answerOf(found.map((to) => addressRecord(name, address(to), this.#one([0, 5, 60, 400]))));
  }

  async #load(isSure = false): Promise<void> {
    await this.#names.hold();
    if (this.#random() < 0.5) this.#changeRules();
    const policy = policyOf(this.#rules, { grace: 20 });
    const numbers = numberClasses(policy.index.rules);
    const text = this.#names.text();
    if (this.#random() < 0.5) await turn();
    this.#now += Math.floor(this.#random() * 300);
    const isLoaded = isSure || this.#random() < 0.8;
    if (isLoaded) {
      this.#kernel.load(text, numbers, this.#now);
      this.counts.loads++;
    }
    if (this.#random() < 0.5) await turn();
    this.#names.resume(isLoaded ? numbers : undefined);
  }

  #changeRules(): void {
    this.#rules = RULES.filter(() => this.#random() < 0.7);
    this.#names.changePolicy(policyOf(this.#rules, { grace: 20 }));
  }

  #wait(): void {
    this.#now += Math.floor(this.#random() * this.#one([10, 1_000, 30_000, 200_000]));
    this.#names.tick();
  }

  #outcome(sent: Sent): string | undefined {
    if (sent.port !== PORT || sent.address !== PROXY_ADDRESSES[4]) {
      this.#check(sent.bytes);
      return undefined;
    }
    if (this.#kernel.take(sent.bytes, this.#now)) {
      this.counts.taken++;
      return 'EPERM';
    }
    // It comes back: wiped if there are rules.
    const bytes = this.#kernel.isLoaded ? new Uint8Array(24) : sent.bytes;
    setImmediate(() => this.#udp.receive(bytes, PROXY_ADDRESSES[4], PORT));
    return undefined;
  }

  #check(bytes: Uint8Array): void {
    const { answers = [], questions, ...decoded } = packet.decode(Buffer.from(bytes));
    this.counts.answers++;
    if ('rcode' in decoded && decoded.rcode === 'SERVFAIL') this.counts.failures++;
    const name = dotted(questions?.[0]?.name ?? '');
    const rules = matchRules(policyOf(this.#rules).index, name);
    // What somebody has removed without us is not there, whatever was granted.
    if (!this.#kernel.isLoaded) return;
    for (const answer of answers) {
      if (answer.type !== 'A') continue;
      this.counts.addresses++;
      if (rules.length === 0) this.faults.push(`${name.join('.')} has no rule`);
      for (const portClass of rules.map(classOf))
        if (!this.#kernel.has(portClass, answer.data, this.#now))
          this.faults.push(`${name.join('.')} ${answer.data} ${portClass}`);
    }
  }
}

const turn = () => new Promise(setImmediate);

it('no answer leaves unless the kernel has its addresses, whatever happens', async () => {
  const totals = { answers: 0, addresses: 0, failures: 0, loads: 0, taken: 0 };
  for (let seed = 1; seed <= STEPS / 200; seed++) {
    const model = new Model(seed);
    for (let step = 0; step < 200; step++) await model.step();
    await model.end();
    expect(model.faults, `seed ${seed}`).toEqual([]);
    for (const key of ['answers', 'addresses', 'failures', 'loads', 'taken'] as const)
      totals[key] += model.counts[key];
  }
  // Each part of it has happened.
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(STEPS / 50);
}, 600_000);
