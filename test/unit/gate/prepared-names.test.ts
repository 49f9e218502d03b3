/** The gate looks for prepared rules under the very name under which the controller has written them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { preparedName } from '../../../src/gate/names.ts';
import { awks, decide, writeBundle } from './bundle.ts';

const Vector = z.strictObject({
  name: z.string(),
  /** Beside the variable that asks for rules. */
  environment: z.array(z.string()),
  request: z.strictObject({
    grants: z.array(z.string()),
    mode: z.enum(['enforce', 'audit']),
    dns: z.enum(['resolvers', 'names', 'none']),
  }),
  /** What the name is the digest of. */
  canonical: z.string(),
});

const file = new URL('../../vectors/prepared-rules.json', import.meta.url);
const vectors = z.array(Vector).parse(JSON.parse(readFileSync(file, 'utf8')));

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
  const expected = createHash('sha256').update(vector.canonical).digest('hex');

  test('of the controller', () => {
    expect(preparedName(vector.request)).toBe(expected);
  });

  test.each(awks())('of the gate with %s', (awk) => {
    writeBundle(folder, { environment: ['EGRESSTRATOR_ENABLE=1', ...vector.environment] });
    expect(decide(awk, folder)).toMatchObject({ decision: 'workload', name: expected });
  });
});
