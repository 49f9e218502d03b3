/**
 * In any order of outages, answers, restarts and hours that pass: nothing is granted by what Consul has not confirmed for
 * longer than `--max-age`, and everything that it has.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { MaxAge } from '../../src/daemon/age-limit.ts';
import type { LastKnownState } from '../../src/daemon/consul-cache.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const AWAY = new Error('Consul does not answer');
const LIMIT = 3_600_000;
const HOST = '10.0.0.1 . tcp . 80';
const SERVICE = '10.0.0.2 . tcp . 5432';
const web = container('web');

const steps = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: LIMIT * 0.8 }) }),
  fc.record({ kind: fc.constantFrom('lose' as const, 'answer' as const, 'restart' as const) }),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** A controller with its own fakes, and the expected state. */
class Case {
  readonly #maxAge: MaxAge;
  readonly #engine = new FakeEngine();
  readonly #kernel = new FakeKernel();
  #consul = new FakeConsul();
  #setup: FakeSetup;
  #now = 1_000 * LIMIT;
  #confirmedAt = this.#now;
  #isLost = false;

  constructor(action: MaxAge['action']) {
    this.#maxAge = { limit: LIMIT, action };
    this.#engine.run(web);
    this.#speak();
    this.#setup = this.#start(undefined);
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'pass') this.#now += step.ms;
    if (step.kind === 'lose') this.#consul.lose(AWAY);
    if (step.kind === 'lose') this.#isLost = true;
    if (step.kind === 'restart') await this.#restart();
    if (step.kind === 'answer') this.#answer();
  }

  /** As soon as it is noticed, and from then on. */
  async holds(): Promise<void> {
    const isOld = this.#now - this.#confirmedAt > LIMIT;
    const dropped = this.#maxAge.action === 'lock' ? [] : this.#isLost ? [HOST] : [HOST, SERVICE];
    const expected = isOld ? dropped : [HOST, SERVICE];
    const look = () => expect(this.#kernel.allowed(web)).toEqual(expected);
    await vi.waitFor(look, { timeout: 5_000, interval: 10 });
    await this.#setup.rest();
    look();
  }

  end(): Promise<void> {
    return this.#setup.controller.close();
  }

  #answer(): void {
    if (this.#consul.rules === undefined) {
      this.#consul.error = undefined;
      this.#speak();
    }
    this.#consul.confirm();
    this.#confirmedAt = this.#now;
    this.#isLost = false;
  }

  #speak(): void {
    this.#consul.now = () => this.#now;
    this.#consul.register('pg', [{ address: '10.0.0.2', port: 5432, tags: [], node: 'n1' }]);
    this.#consul.put({ db: '10.0.0.1:tcp/80\npg' });
  }

  /** A Consul that is away stays so for the next controller, which knows what this one kept. */
  async #restart(): Promise<void> {
    await this.#setup.controller.close();
    const previousState = this.#setup.persisted.at(-1);
    this.#consul = new FakeConsul();
    this.#consul.now = () => this.#now;
    if (this.#isLost) this.#consul.error = AWAY;
    else this.#answer();
    this.#setup = this.#start(previousState);
  }

  #start(previousState: LastKnownState | undefined): FakeSetup {
    const [engine, kernel, consul] = [this.#engine, this.#kernel, this.#consul];
    const options = { engine, kernel, consul, maxAge: this.#maxAge, now: () => this.#now };
    return startFake({ ...options, ...(previousState && { previousState }) });
  }
}

test.each(['lock', 'drop-services'] as const)('%s', { timeout: 120_000 }, async (action) => {
  const sequences = fc.array(steps, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sequences, async (sequence) => {
      const run = new Case(action);
      await run.holds();
      for (const step of sequence) {
        await run.take(step);
        await run.holds();
      }
      await run.end();
    }),
    { numRuns: 12 },
  );
});
