/**
 * The Engine's answers are `unknown` until a schema has read them. What we do not use is not asked for, so
 * that a newer Engine's additions break nothing.
 */
import { z } from 'zod';
import { EngineAnswerError } from './errors.ts';

const labels = z.record(z.string(), z.string()).nullish();

export const listSchema = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()).nullish(), Labels: labels }),
);

export const waitSchema = z.object({ StatusCode: z.number() });

export const imageSchema = z.object({
  Id: z.string(),
  Config: z.object({ Labels: labels, Env: z.array(z.string()).nullish() }).nullish(),
});

/** `what` completes "could not …". */
export function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`;
  throw new EngineAnswerError(`The Docker Engine's answer cannot be read: could not ${what}${where}.`);
}
