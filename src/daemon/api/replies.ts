/**
 * Converts schemas to the form of the HTTP framework.
 */
import { z } from 'zod';
import { ErrorReply } from './schema.ts';

export const jsonSchema = (schema: z.ZodType): object =>
  z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });

/** The possible answers of a route. */
export const replies = (schema: z.ZodType): object => ({
  200: jsonSchema(schema),
  503: jsonSchema(schema),
  '4xx': jsonSchema(ErrorReply),
  500: jsonSchema(ErrorReply),
  502: jsonSchema(ErrorReply),
});
