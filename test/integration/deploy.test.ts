/**
 * What docs/installing.md has people install, on a real Engine: the container of the one unit, as its own
 * ExecStart runs it, and the program of the other with the rights that it is given.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startConsul } from '../../lab/consul.ts';
import { ensureBaseImage } from '../../lab/images.ts';
import { inCheckout } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';
import { startController } from '../support/egresstrator.ts';
import { becomes, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { valuesOf } from '../support/unit-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-unit-'));
const name = `egt-unit-${process.pid}`;
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('28.5');
  await putKey(fixture, 'egress/acl/db', `${ipv4(fixture.server)}:tcp/80`);
});
afterAll(async () => {
  await docker('rm', '-f', name).catch(() => {});
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const host = () => ['-H', `unix://${fixture.engine.socketPath}`];

const docker = (...args: readonly string[]) =>
  execa('docker', [...host(), ...args], { env: { DOCKER_BUILDKIT: '0' } });

test('the image, built as the documents say, runs as the unit says, and sees its token', async () => {
  const image = `egresstrator-lab/unit:${process.pid}`;
  const base = ['--build-arg', `BASE_IMAGE=${await ensureBaseImage(fixture.engine.socketPath)}`];
  await docker('build', '--quiet', ...base, '-t', image, inCheckout());
  for (const each of ['etc', 'var/lib', 'run'])
    mkdirSync(join(folder, each, 'egresstrator'), { recursive: true });
  // Where the Engine and its `--network host` containers are; its rules are for those who have the token.
  await using consul = await startConsul({ engine: fixture.engine, acl: true });
  await consul.call('PUT', '/v1/kv/egress/acl/db', `${ipv4(fixture.server)}:tcp/80`);
  writeFileSync(join(folder, 'etc/egresstrator/consul-token'), `${consul.bootstrapToken}\n`);
  writeFileSync(
    join(folder, 'etc/egresstrator/environment'),
    [
      `CONSUL_HTTP_ADDR=${consul.address}`,
      'CONSUL_HTTP_TOKEN_FILE=/etc/egresstrator/consul-token',
      'EGRESSTRATOR_PORTS=observe',
      'EGRESSTRATOR_FORWARDS=on',
      '',
    ].join('\n'),
  );

  // The unit's own line, with folders of this test in the place of the host's.
  const [start = ''] = valuesOf('deploy/egresstrator.service', 'ExecStart');
  const [, , ...words] = start
    .replace(/egresstrator:\$\{EGRESSTRATOR_VERSION\}/, image)
    .replace('--name egresstrator', `--detach --name ${name}`)
    .replace('--env-file ', `--env-file ${folder}`)
    .replace(/--volume (\/(?:etc|var\/lib|run)\/)/g, `--volume ${folder}$1`)
    .replace('/var/run/docker.sock:', `${fixture.engine.socketPath}:`)
    .split(/\s+/);
  await docker('run', ...words);

  const asked = async () => {
    const { stdout } = await execa('docker', [...host(), 'exec', name, 'egresstrator', 'status'], {
      reject: false,
    });
    return /^rules +\d+\w+ ago +ok$/m.test(stdout);
  };
  await waitFor(asked, { what: 'egresstrator status in the container' });
  await docker('exec', name, 'test', '-r', '/etc/egresstrator/consul-token');
  await expect(docker('exec', name, 'touch', '/etc/egresstrator/x')).rejects.toThrow('Read-only');
  const workload = await fixture.workloads.run('by-image', { acl: 'db' });
  await becomes(workload, ipv4(fixture.server), 81, 'refused');
  await becomes(workload, ipv4(fixture.server), 80, 'ok');

  // It has the network of the host and no right there, so helpers load the host's rules.
  const isLoaded = async () =>
    /^state +loaded$/m.test((await docker('exec', name, 'egresstrator', 'host', 'status')).stdout);
  await waitFor(isLoaded, { what: "the host's rules to be loaded" });
  const files = `${folder}/var/lib/egresstrator:/var/lib/egresstrator`;
  const socket = `${fixture.engine.socketPath}:/var/run/docker.sock`;
  const clear = ['run', '--rm', '--volume', files, '--volume', socket, image, 'host', 'clear', '--yes'];
  await expect(docker(...clear)).rejects.toThrow(`a controller runs in the container ${name}`);
  await docker('stop', name);
  await docker(...clear);
  const { stdout } = await execa('nsenter', [
    ...fixture.engine.networkPrefix.slice(1),
    'nft',
    'list',
    'tables',
  ]);
  expect(stdout).not.toContain('egresstrator_host');
}, 600_000);

test('the rights that the other unit gives are enough to load by nsenter', async () => {
  const [rights = ''] = valuesOf('deploy/egresstrator-nsenter.service', 'CapabilityBoundingSet');
  const bounds = rights.split(' ').map((right) => `+${right.replace('CAP_', '').toLowerCase()}`);
  const program = join(folder, 'program');
  const main = inCheckout('src/cli/main.ts');
  const line = `exec setpriv --no-new-privs --bounding-set -all,${bounds.join(',')} ${process.execPath} ${main} "$@"`;
  writeFileSync(program, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  const args = ['-c', fixture.consul.address, '--loader', 'nsenter'];
  await using controller = await startController({ engine: fixture.engine, args, program });
  const status = readFileSync(`/proc/${controller.pid}/status`, 'utf8');
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^CapEff:\t0000000000283000$/m);
  const workload = await fixture.workloads.run('by-nsenter', { acl: 'db' });
  await becomes(workload, ipv4(fixture.server), 81, 'refused');
  await becomes(workload, ipv4(fixture.server), 80, 'ok');
}, 300_000);
