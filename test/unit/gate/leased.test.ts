/** What root inside can do to the file that the gate reads at a restart. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { leaseOn } from '../../support/lease.ts';
import { awks, runAwk } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-leased-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(awks())('with %s, a lease on the file delays the start for a moment, not for 45 s', async (awk) => {
  const file = join(folder, awk.replace(/\W/g, '-'));
  writeFileSync(file, 'nameserver 192.0.2.7\n');
  mkdirSync(join(folder, 'prepared'), { recursive: true });
  const ask = () => runAwk(awk, ['files', 'resolvers'], [file, '192.0.2.7', folder]);
  expect(ask()).toBe(', 192.0.2.7\n\n');
  using _lease = await leaseOn(file);
  const from = performance.now();
  expect(ask()).toBe('\n\n');
  expect(performance.now() - from).toBeLessThan(20_000);
});
