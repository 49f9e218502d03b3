/** Values held against a JSON Schema. */
import fastify from 'fastify';

/**
 * Says what is wrong with a value; nothing if it is as the schema says. The schema's name for its draft is left out: the
 * validator knows an older one, of which those used here need no more.
 */
export async function faultsOf(schema: object, value: unknown): Promise<string> {
  const customOptions = {
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    strict: false,
  } as const;
  const server = fastify({ ajv: { customOptions }, bodyLimit: 10_000_000 });
  server.post('/', { schema: { body: { ...schema, $schema: undefined } } }, () => 'valid');
  const headers = { 'content-type': 'application/json' };
  const payload = JSON.stringify(value);
  const answer = await server.inject({ method: 'POST', url: '/', headers, payload });
  await server.close();
  return answer.payload === 'valid' ? '' : answer.payload;
}
