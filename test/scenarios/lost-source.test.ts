/** A source that is lost while nothing else happens is reported all the same, and so is its return. */
import { expect, test } from 'vitest';
import type { RuleSource } from '../../src/inventory/sources.ts';
import { eventually } from '../support/eventually.ts';
import { startFake } from '../support/fake-controller.ts';
import { FakeConsul } from '../support/fakes.ts';

/** Like the real source, it calls back when a value changes, and not when the connection is lost. */
class QuietConsul extends FakeConsul {
  lost: Error | undefined;

  override watchRules(...args: Parameters<RuleSource['watchRules']>): ReturnType<RuleSource['watchRules']> {
    const watched = super.watchRules(args[0]);
    const lost = () => this.lost;
    return Object.defineProperty(watched, 'error', { get: lost });
  }
}

test('Consul that is lost on a quiet host is reported, and reported when it is back', async () => {
  const consul = new QuietConsul();
  consul.rules = new Map([['db', '10.0.0.1:tcp/80']]);
  const { log, rest } = startFake({ consul, driftInterval: 30 });
  await rest();
  consul.lost = new Error('Consul is away');
  await eventually(() => expect(log.messages('error')).toEqual(['problem found']));
  consul.lost = undefined;
  await eventually(() => expect(log.messages('info')).toContain('problem solved'));
});
