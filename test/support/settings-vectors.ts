/**
 * What containers and their images say, and what that is to be read as: the gate and the controller must
 * both read it so.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const words = { environment: z.array(z.string()), labels: z.record(z.string(), z.string()) };

const Vector = z.strictObject({
  name: z.string(),
  ...words,
  /** What the image says by itself; without it, nothing. */
  image: z.union([z.strictObject(words), z.literal('unknown')]).optional(),
  /** The mode of containers that name none. */
  defaultMode: z.enum(['enforce', 'audit']).default('enforce'),
  /** Null: it asks for no rules. */
  expected: z
    .strictObject({
      grants: z.array(z.string()),
      mode: z.enum(['enforce', 'audit']),
      dns: z.enum(['resolvers', 'names', 'none']),
      /** The gate need not know it. */
      keepsResolvers: z.literal(true).optional(),
    })
    .nullable(),
  /** Without it: it names no ingress keys. */
  ingress: z.strictObject({ keys: z.array(z.string()), mode: z.enum(['enforce', 'audit']) }).optional(),
});

export type Vector = z.infer<typeof Vector>;

const file = join(import.meta.dirname, '../vectors/container-words.json');

export const vectors: readonly Vector[] = z.array(Vector).parse(JSON.parse(readFileSync(file, 'utf8')));
