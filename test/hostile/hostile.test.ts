/**
 * Hostile images and workloads, on both Engines, with and without the gate: each attempt is first shown to
 * work where nothing stops it. The table of what became of them stands in docs/security.md.
 *
 * EGRESSTRATOR_HOSTILE_ONLY: a regular expression; makes only attempts whose name fits.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onEachEngine } from '../support/engines.ts';
import { attempts, customAttempts, images } from './all.ts';
import { Cases } from './cases.ts';
import { ProvesNothing } from './custom-attempts.ts';
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
    const { control, under, refusal } = testCase;
    rows.set(name, {
      attempt: name,
      control: control.length === 0 ? 'works' : 'PROVES NOTHING',
      without: became(under['without the gate']),
      with: refusal === undefined ? became(under['with the gate']) : 'does not start',
    });
    expect(control, `where nothing stops it: ${control.join('; ')}`).toEqual([]);
    for (const start of starts) expect(under[start], `${start}: ${under[start].join('; ')}`).toEqual([]);
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
          await custom.make(cases.kit(start)).catch((error: unknown) => {
            if (error instanceof ProvesNothing) row.control = 'PROVES NOTHING';
            throw error;
          });
          row[column] = custom.outcome ?? 'stopped';
        }
      },
    );
  });
});

const became = (failings: readonly string[]): string => (failings.length === 0 ? 'stopped' : 'SUCCEEDS');
