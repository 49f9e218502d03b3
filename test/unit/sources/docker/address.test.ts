import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EngineError } from '../../../../src/common/errors.ts';
import { engineAddress, engineOptionsFrom } from '../../../../src/sources/docker/address.ts';

test.each([
  [{}, 'unix:///var/run/docker.sock'],
  [{ host: '' }, 'unix:///var/run/docker.sock'],
  [{ host: 'unix://' }, 'unix:///var/run/docker.sock'],
  [{ host: 'unix:///tmp/docker.sock' }, 'unix:///tmp/docker.sock'],
  [{ socketPath: '/run/d.sock', host: 'tcp://engine:2375' }, 'unix:///run/d.sock'],
  [{ host: 'tcp://engine' }, 'tcp://engine:2375'],
  [{ host: 'tcp://engine:80' }, 'tcp://engine:80'],
  [{ host: 'http://10.0.0.1:4243' }, 'tcp://10.0.0.1:4243'],
  [{ host: 'tcp://[::1]:2375' }, 'tcp://[::1]:2375'],
  [{ host: 'tcp://engine', tlsVerify: '1' }, 'tcp://engine:2376'],
  [{ host: 'https://engine:443' }, 'tcp://engine:443'],
])('%j is %s', (options, text) => {
  expect(engineAddress(options).text).toBe(text);
});

test.each(['ssh://host', 'engine:2375', 'tcp://', '/var/run/docker.sock', 'npipe:////./pipe/docker'])(
  'DOCKER_HOST=%s cannot be used',
  (host) => {
    expect(() => engineAddress({ host })).toThrow(EngineError);
    expect(() => engineAddress({ host })).toThrow(`DOCKER_HOST is ${host}: expected`);
  },
);

test('certificates are read from DOCKER_CERT_PATH', () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = engineOptionsFrom({
    DOCKER_HOST: 'tcp://engine',
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: folder,
  });
  expect(() => engineAddress(options)).toThrow('where ca.pem, cert.pem and key.pem are expected');
  for (const name of ['ca.pem', 'cert.pem', 'key.pem']) writeFileSync(join(folder, name), name);
  expect(engineAddress(options)).toMatchObject({
    tls: { ca: Buffer.from('ca.pem'), cert: Buffer.from('cert.pem'), key: Buffer.from('key.pem') },
  });
});
