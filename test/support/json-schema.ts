/** Values held against a JSON Schema. */
import fastify from 'fastify';

/** Says what is wrong with a value; nothing if it is as the schema says. */
export type Validator = (value: unknown) => Promise<string>;

export const faultsOf = (schema: object, value: unknown): Promise<string> => validatorOf(schema)(value);

/**
 * For many values: to make a validator takes far longer than to use it. The schema's name for its draft is left out: the
 * validator knows an older one, of which those used here need no more.
 */
export function validatorOf(schema: object): Validator {
  const customOptions = {
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    strict: false,
  } as const;
  const server = fastify({ ajv: { customOptions }, bodyLimit: 10_000_000 });
  server.post('/', { schema: { body: { ...schema, $schema: undefined } } }, () => 'valid');
  const headers = { 'content-type': 'application/json' };
  return async (value) => {
    const payload = JSON.stringify(value);
    const answer = await server.inject({ method: 'POST', url: '/', headers, payload });
    return answer.payload === 'valid' ? '' : answer.payload;
  };
}
