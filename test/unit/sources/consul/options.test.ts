/** Addresses, paths and files as people give them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import { parseAddress } from '../../../../src/sources/consul/address.ts';
import { normalizeKvPath, settingsOf } from '../../../../src/sources/consul/options.ts';
import { currentToken, redact } from '../../../../src/sources/consul/token.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-consul-'));
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('the address', () => {
  test.each([
    ['127.0.0.1:8500', false, '127.0.0.1', 8500, false],
    ['consul.example', false, 'consul.example', 8500, false],
    ['consul.example:80', true, 'consul.example', 80, true],
    [' http://10.0.0.1:1/ ', false, '10.0.0.1', 1, false],
    ['HTTPS://consul.example:8501', false, 'consul.example', 8501, true],
    ['[::1]:8500', false, '::1', 8500, false],
    ['https://[2001:db8::1]', false, '2001:db8::1', 8500, true],
  ])('%s (ssl %s)', (text, ssl, host, port, secure) => {
    expect(parseAddress(text, ssl)).toMatchObject({ host, port, secure, socketPath: undefined });
  });

  test('is a unix socket', () => {
    expect(parseAddress('unix:///run/consul.sock', false)).toMatchObject({
      ...{ label: 'unix:///run/consul.sock', socketPath: '/run/consul.sock', secure: false },
    });
  });

  test.each([
    ['', 'is not host:port'],
    ['a b', 'is not host:port'],
    ['host:0', 'is not host:port'],
    ['host:65536', 'is not host:port'],
    ['host:8500/ui', 'is not host:port'],
    ['[host]:8500', 'is not host:port'],
    ['::1', 'write an IPv6 address in brackets, as in [::1]:8500'],
    ['ftp://host', 'ftp:// is not supported'],
    ['unix://run/consul.sock', 'full path'],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseAddress(text, false)).toThrow(ConsulError);
    expect(() => parseAddress(text, false)).toThrow(why);
    expect(() => parseAddress(text, false)).toThrow('--consul (CONSUL_HTTP_ADDR)');
  });

  test('must not contradict --ssl', () => {
    expect(() => parseAddress('http://host', true)).toThrow('--ssl (CONSUL_HTTP_SSL)');
  });

  test('must not hold a password, and the message does not either', () => {
    const parse = () => parseAddress('http://user:hunter2@host:8500', false);
    expect(parse).toThrow('no user name or password');
    expect(parse).not.toThrow('hunter2');
  });
});

describe('the KV path', () => {
  test.each(['egress/acl', '/egress/acl/', 'egress/acl/', ' //egress/acl// '])('%j', (path) => {
    expect(normalizeKvPath(path)).toBe('egress/acl/');
  });

  test.each(['', '/', ' ', 'a//b', 'a/../b', './a'])('%j is refused', (path) => {
    expect(() => normalizeKvPath(path)).toThrow('--kv-path (CONSUL_PATH)');
  });
});

describe('TLS files', () => {
  const settings = (more: object) => () => settingsOf({ address: 'https://localhost', ...more });

  test('that are missing are named', () => {
    expect(settings({ caFile: '/nowhere/ca.pem' })).toThrow(
      /^Cannot read \/nowhere\/ca\.pem, given as --ssl-ca-cert \(CONSUL_CACERT\): ENOENT/,
    );
  });

  test('that hold something else are named', () => {
    const caFile = file('ca.pem', 'garbage');
    expect(settings({ caFile })).toThrow(
      `${caFile}, given as --ssl-ca-cert (CONSUL_CACERT), is not a certificate`,
    );
  });

  test('come in pairs', () => {
    const certFile = file('cert.pem', '');
    expect(settings({ certFile })).toThrow(
      '--ssl-cert (CONSUL_CLIENT_CERT) and --ssl-key (CONSUL_CLIENT_KEY)',
    );
  });

  test('are not looked at without TLS', () => {
    expect(settingsOf({ address: 'localhost', caFile: '/nowhere/ca.pem' }).tls).toEqual({});
  });
});

describe('the token', () => {
  const token = (token: string | undefined, tokenFile?: string) => currentToken({ token, tokenFile });

  test('is trimmed, and none if empty', async () => {
    expect(await token(' abc\n')).toBe('abc');
    expect(await token('')).toBeUndefined();
    expect(await token(undefined)).toBeUndefined();
  });

  test('is read from the file each time, which wins', async () => {
    const path = file('token', 'one\n');
    expect(await token('other', path)).toBe('one');
    file('token', 'two\n');
    expect(await token('other', path)).toBe('two');
  });

  test('in a file that is missing or empty is an error that names it', async () => {
    await expect(token(undefined, '/nowhere/token')).rejects.toThrow('token file /nowhere/token');
    const path = file('empty', '\n');
    await expect(token(undefined, path)).rejects.toThrow(`The token file ${path}`);
  });

  test('that cannot be one is refused without being shown', async () => {
    await expect(token('two words')).rejects.toThrow('--consul-token (CONSUL_HTTP_TOKEN)');
    await expect(token('two words')).rejects.not.toThrow('words');
  });

  test('is cut out of texts', () => {
    expect(redact('no token secret here', 'secret')).toBe('no token <token> here');
    expect(redact('text', undefined)).toBe('text');
  });
});
