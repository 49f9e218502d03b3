/** Names that were asked in vain, in the log. */
import { expect, test } from 'vitest';
import { NameDenyLog } from '../../../src/daemon/name-deny-log.ts';
import { NO_ANSWER } from '../../../src/features/names/exchange.ts';
import type { DeniedName } from '../../../src/features/names/name-report.ts';
import { FakeLog } from '../../support/fakes.ts';

const name = (text: string, more: Partial<DeniedName> = {}): DeniedName => ({
  ...{ name: text, cause: 'name', types: ['A'], count: 1, firstSeenAt: 0, lastSeenAt: 0, ...more },
});

test('each name is told once, and again when it was gone', () => {
  const log = new FakeLog();
  const lines = new NameDenyLog(log, 'shop');
  lines.write({ denied: [name('a.test')] }, 'enforce', 0);
  lines.write(
    { denied: [name('b.test', { cause: 'address', reason: 'why' }), name('a.test')] },
    'enforce',
    1,
  );
  lines.write({ denied: [] }, 'enforce', 2);
  lines.write({ denied: [name('a.test')] }, 'audit', 3);
  expect(log.lines.map(({ message, fields }) => [message, fields])).toEqual([
    ['name denied', { container: 'shop', name: 'a.test', types: ['A'], cause: 'name' }],
    ['name denied', { container: 'shop', name: 'b.test', types: ['A'], cause: 'address', reason: 'why' }],
    ['name would be denied', { container: 'shop', name: 'a.test', types: ['A'], cause: 'name' }],
  ]);
});

test('a name that was answered badly is told, and names that nobody answered are not', () => {
  const log = new FakeLog();
  const lines = new NameDenyLog(log, 'shop');
  const silent = name('a.test', { cause: 'failed', reason: NO_ANSWER });
  const looped = name('b.test', { cause: 'failed', reason: 'more than 16 steps of CNAME records' });
  lines.write({ denied: [silent, looped] }, 'enforce', 0);
  lines.write({ denied: [silent, looped] }, 'enforce', 1);
  expect(log.lines.map(({ message, fields }) => [message, fields])).toEqual([
    [
      'name not resolved',
      { container: 'shop', name: 'b.test', types: ['A'], cause: 'failed', reason: looped.reason },
    ],
  ]);
});

test('a flood of names writes a few lines, and how many more there were', () => {
  const log = new FakeLog();
  const lines = new NameDenyLog(log, 'shop');
  for (let round = 0; round < 50; round++) {
    const denied = Array.from({ length: 256 }, (_, index) => name(`n${round}-${index}.test`));
    lines.write({ denied }, 'enforce', round * 2_000);
  }
  expect(log.lines.length).toBeLessThan(40);
  expect(log.messages('warn')).toContain('more names denied');
});
