/**
 * What resolv.conf of a container says, what its Engine gave it, and which resolvers follow: the gate and the
 * controller must both find these.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Vector = z.strictObject({
  name: z.string(),
  resolvConf: z.string(),
  /** The container's --dns. */
  dns: z.array(z.string()).default([]),
  expected: z.array(z.string()),
});

export type ResolverVector = z.infer<typeof Vector>;

/** The Engine's own, for containers without --dns. */
export const ENGINE_RESOLVERS = ['10.0.0.2', '10.0.0.3', '2001:db8::1'] as const;

const file = join(import.meta.dirname, '../vectors/resolvers.json');

export const resolverVectors: readonly ResolverVector[] = z
  .array(Vector)
  .parse(JSON.parse(readFileSync(file, 'utf8')));
