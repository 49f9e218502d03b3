/**
 * What containers and images may say of egresstrator, drawn by chance, and what is looser than what.
 */
import fc from 'fast-check';
import type { SettingRequest, Workload } from '../../src/inventory/workload.ts';

/** In what the second is looser; keys count where the runner has named some. */
export function looserThan(
  alone: Workload,
  together: Workload | undefined,
  hasNamedKeys: boolean,
): readonly string[] {
  if (together === undefined) return ['it is switched off'];
  const foreign = together.grants.filter((key) => hasNamedKeys && !alone.grants.includes(key));
  return [
    ...foreign.map((key) => `it has ${key}`),
    ...(alone.mode === 'enforce' && together.mode !== 'enforce' ? ['it is in audit mode'] : []),
    ...(opennessOf(alone) < opennessOf(together) ? [`it has the DNS policy ${together.dns}`] : []),
  ];
}

/** Of what it may ask, from nothing to what nobody can take from it. */
const opennessOf = ({ dns, keepsResolvers }: Workload): number =>
  keepsResolvers ? 3 : { none: 0, names: 1, resolvers: 2 }[dns];

export type Words = Pick<SettingRequest, 'environment' | 'labels'>;

export const says = ({ environment, labels }: Words, word: string): boolean =>
  environment.some((line) => line.startsWith(`EGRESSTRATOR_${word}=`)) || labelOf(word) in labels;

const labelOf = (word: string): string => `egresstrator.${word.toLowerCase()}`;

const settings = {
  ENABLE: ['0', '1', 'on', '', 'x'],
  ACL: ['', 'db', 'all', 'db,all', 'all,cache'],
  MODE: ['', 'audit', 'enforce', 'x'],
  DNS: ['', 'none', 'names', 'resolvers', 'x'],
} as const;

export const someSettings: fc.Arbitrary<Words> = fc.record({
  environment: fc.array(
    fc.constantFrom(
      ...Object.entries(settings).flatMap(([name, values]) =>
        values.map((value) => `EGRESSTRATOR_${name}=${value}`),
      ),
      'PATH=/bin',
    ),
    { maxLength: 5 },
  ),
  labels: fc
    .subarray(Object.entries(settings))
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map(([name, values]) => fc.constantFrom(...values).map((value) => [labelOf(name), value])),
      ),
    )
    .map((entries): Record<string, string> => Object.fromEntries(entries)),
});
