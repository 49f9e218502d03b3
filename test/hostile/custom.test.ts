/**
 * The attempts of docs/security.md that are judged by more than what they reach, one after the other under one
 * controller: what they cost others, what they hide or forge, and the ways round the controller itself.
 */
import { afterAll, beforeAll, test } from 'vitest';
import { ONE_ENGINE, onEachEngine } from '../support/engines.ts';
import { customAttempts, images, isChosen } from './all.ts';
import { Inconclusive } from './custom-attempts.ts';
import { CustomTestbed } from './custom-testbed.ts';
import { type Row, table } from './table.ts';

const chosenOn = (version: string) =>
  customAttempts.filter((one) => isChosen(one) && (version === ONE_ENGINE || one.isOfNoEngine !== true));
const starts = ['without the gate', 'with the gate'] as const;

onEachEngine((version) => {
  const rows: Row[] = [];
  let testbed: CustomTestbed;
  beforeAll(async () => {
    testbed = await CustomTestbed.open(version, images());
  }, 600_000);
  afterAll(async () => {
    process.stdout.write(`\nEngine ${version}:\n${table(rows)}\n`);
    await testbed?.[Symbol.asyncDispose]();
  }, 120_000);

  test.each(chosenOn(version).map((custom) => [custom.name, custom] as const))('%s', async (name, custom) => {
    const row = { attempt: name, control: 'works', without: 'not tried', with: 'not tried' };
    rows.push(row);
    for (const start of custom.starts ?? starts) {
      const column = start === 'with the gate' ? 'with' : 'without';
      row[column] = 'SUCCEEDS';
      await custom.make(testbed.context(start)).catch((error: unknown) => {
        if (error instanceof Inconclusive) row.control = 'INCONCLUSIVE';
        throw error;
      });
      row[column] = custom.outcome ?? 'stopped';
    }
  });
});
