/**
 * Tests of attempts, on both Engines, with and without the gate. Each attempt must first work without a controller.
 * docs/security.md has the table of outcomes.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachEngine } from '../support/engines.ts';
import { isChosen } from './all.ts';
import type { Attempt } from './attempts.ts';
import { Cases } from './cases.ts';
import { type Row, table } from './table.ts';

const starts = ['without the gate', 'with the gate'] as const;

/** An Engine runs all of them at once, so a file should have no more of them than a machine can carry. */
export const testAttempts = (attempts: readonly Attempt[]): void =>
  onEachEngine((version) => {
    const chosen = attempts.filter(isChosen);
    const rows: Row[] = [];
    let cases: Cases;
    beforeAll(async () => {
      cases = await Cases.open(version, chosen);
      await cases.run();
    }, 600_000);
    afterAll(async () => {
      process.stdout.write(`\nEngine ${version}:\n${table(rows)}\n`);
      await cases?.[Symbol.asyncDispose]();
    }, 120_000);

    test.each(chosen.map(({ name }, index) => [name, index] as const))('%s', (name, index) => {
      const testCase = cases.cases[index];
      if (testCase === undefined) throw new Error('it was not made');
      const { controlFailures, failures, startError } = testCase;
      rows.push({
        attempt: name,
        control: controlFailures.length === 0 ? 'works' : 'INCONCLUSIVE',
        without: outcomeOf(failures['without the gate']),
        with: startError === undefined ? outcomeOf(failures['with the gate']) : 'does not start',
      });
      expect(controlFailures, `without a controller: ${controlFailures.join('; ')}`).toEqual([]);
      for (const start of starts)
        expect(failures[start], `${start}: ${failures[start].join('; ')}`).toEqual([]);
    });
  });

const outcomeOf = (caseFailures: readonly string[]): string =>
  caseFailures.length === 0 ? 'stopped' : 'SUCCEEDS';
