/**
 * Hostile images and workloads, on both Engines, with and without the gate. Each attempt must first work without a
 * controller. docs/security.md has the table of outcomes.
 *
 * EGRESSTRATOR_HOSTILE_ONLY: a regular expression; makes only the attempts whose name matches.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onEachEngine } from '../support/engines.ts';
import { attempts, customAttempts, images } from './all.ts';
import { Cases } from './cases.ts';
import { Inconclusive } from './custom-attempts.ts';
import { type Row, table } from './table.ts';

const only = new RegExp(process.env.EGRESSTRATOR_HOSTILE_ONLY ?? '');
const isChosen = ({ name }: { readonly name: string }) => only.test(name);
const chosen = attempts.filter(isChosen);
const starts = ['without the gate', 'with the gate'] as const;

onEachEngine((version) => {
  const rows = new Map<string, Row>();
  let cases: Cases;
  beforeAll(async () => {
    cases = await Cases.open(version, chosen, images);
    await cases.run();
  }, 600_000);
  afterAll(async () => {
    process.stdout.write(`\nEngine ${version}:\n${table([...rows.values()])}\n`);
    await cases?.[Symbol.asyncDispose]();
  }, 120_000);

  test.each(chosen.map(({ name }, index) => [name, index] as const))('%s', (name, index) => {
    const testCase = cases.cases[index];
    if (testCase === undefined) throw new Error('it was not made');
    const { controlFailures, failures, startError } = testCase;
    rows.set(name, {
      attempt: name,
      control: controlFailures.length === 0 ? 'works' : 'INCONCLUSIVE',
      without: outcomeOf(failures['without the gate']),
      with: startError === undefined ? outcomeOf(failures['with the gate']) : 'does not start',
    });
    expect(controlFailures, `without a controller: ${controlFailures.join('; ')}`).toEqual([]);
    for (const start of starts)
      expect(failures[start], `${start}: ${failures[start].join('; ')}`).toEqual([]);
  });

  describe('one after the other', () => {
    beforeAll(() => cases.clear());

    test.each(customAttempts.filter(isChosen).map((custom) => [custom.name, custom] as const))(
      '%s',
      async (name, custom) => {
        const row = { attempt: name, control: 'works', without: 'not tried', with: 'not tried' };
        rows.set(name, row);
        for (const start of custom.starts ?? starts) {
          const column = start === 'with the gate' ? 'with' : 'without';
          row[column] = 'SUCCEEDS';
          await custom.make(cases.context(start)).catch((error: unknown) => {
            if (error instanceof Inconclusive) row.control = 'INCONCLUSIVE';
            throw error;
          });
          row[column] = custom.outcome ?? 'stopped';
        }
      },
    );
  });
});

const outcomeOf = (caseFailures: readonly string[]): string =>
  caseFailures.length === 0 ? 'stopped' : 'SUCCEEDS';
