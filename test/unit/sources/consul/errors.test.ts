/** Failed requests as sentences: what, where, what to do, and never a token. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import { parseAddress } from '../../../../src/sources/consul/address.ts';
import { explain } from '../../../../src/sources/consul/errors.ts';

const subject = {
  endpoint: parseAddress('consul.example:8500', false),
  ...{ what: 'service pg@dc9', datacenter: 'dc9', token: 's3cret' },
};
const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const answered = (statusCode: number, body?: string) =>
  Object.assign(new Error('x'), { response: { statusCode, ...(body && { body: Buffer.from(body) }) } });

const place = 'Consul at consul.example:8500';
const asked = 'asked for service pg@dc9';

test.each([
  [
    coded('ECONNREFUSED'),
    `${place} refuses the connection, ${asked}: start Consul there, or correct --consul (CONSUL_HTTP_ADDR).`,
  ],
  [
    coded('ENOTFOUND'),
    `${place} has a name that does not resolve, ${asked}: correct --consul (CONSUL_HTTP_ADDR).`,
  ],
  [
    coded('DEPTH_ZERO_SELF_SIGNED_CERT'),
    `${place} has a certificate of an unknown authority, ${asked}: give its CA file with --ssl-ca-cert (CONSUL_CACERT).`,
  ],
  [
    coded('ERR_SSL_WRONG_VERSION_NUMBER'),
    `${place} does not complete the TLS handshake, ${asked}: if it speaks plain HTTP there, drop --ssl or https://; else check --consul (CONSUL_HTTP_ADDR).`,
  ],
  [
    answered(403, 'ACL not found'),
    `${place} answered 403 (ACL not found), ${asked}: give a valid token that may do this, in --consul-token (CONSUL_HTTP_TOKEN) or --consul-token-file (CONSUL_HTTP_TOKEN_FILE).`,
  ],
  [
    answered(400, 'Client sent an HTTP request to an HTTPS server.\n'),
    `${place} speaks only TLS, ${asked}: add --ssl (CONSUL_HTTP_SSL) or write https://.`,
  ],
  [
    answered(500, 'No path to datacenter'),
    `${place} does not know the datacenter dc9, ${asked}: correct its name, or join it.`,
  ],
  [
    answered(500, 'No cluster leader'),
    `${place} has no leader (No cluster leader), ${asked}: check that most of its servers run.`,
  ],
  [answered(502), `${place} answered 502, ${asked}: check its log.`],
  [
    answered(404, '<html>\n\tnot   here</html>'),
    `${place} answered 404 (<html> not here</html>), ${asked}: check that --consul (CONSUL_HTTP_ADDR) is really Consul's HTTP API.`,
  ],
  [
    Object.assign(new Error('x'), { isTimeout: true }),
    `${place} did not answer in time, ${asked}: check whether it hangs or the network drops packets.`,
  ],
  [
    coded('EODD'),
    `${place} could not be reached (connect EODD), ${asked}: check --consul (CONSUL_HTTP_ADDR).`,
  ],
  ['text', `${place} could not be reached (text), ${asked}: check --consul (CONSUL_HTTP_ADDR).`],
])('%#', (error, message) => {
  expect(explain(error, subject).message).toBe(message);
});

describe('evidence', () => {
  test('says whether to try again is of use', () => {
    expect(explain(answered(403), subject).permanent).toBe(true);
    expect(explain(answered(500), subject).permanent).toBe(false);
    expect(explain(coded('ECONNREFUSED'), subject).permanent).toBe(false);
  });

  test('holds code and text, but no token and nothing of the request', () => {
    const error = Object.assign(new Error('died of s3cret'), {
      response: { statusCode: 500, body: Buffer.from('who is s3cret?'), req: { headers: 's3cret' } },
      request: 's3cret',
    });
    const explained = explain(error, subject);
    expect(inspect(explained, { depth: 9, showHidden: true })).not.toContain('s3cret');
    expect(explained.message).toContain('who is <token>?');
    const broken = explain(Object.assign(coded('ECONNRESET'), { message: 's3cret' }), subject);
    expect(broken.cause).toMatchObject({ code: 'ECONNRESET', message: 'ECONNRESET <token>' });
  });

  test('stays short', () => {
    expect(explain(answered(500, 'x'.repeat(9_999)), subject).message.length).toBeLessThan(400);
  });

  test('is left alone where it is explained already', () => {
    const error = new ConsulError('known');
    expect(explain(error, subject)).toBe(error);
  });
});
