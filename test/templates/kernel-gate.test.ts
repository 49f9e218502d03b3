/**
 * What the gate loads at the start of a container: rules about its callers, beside its egress rules or alone, before the
 * real runtime is called.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import { preparedIngressName } from '../../src/gate/names.ts';
import { confFile, programFiles } from '../../src/gate/programs.ts';
import { parseRecord } from '../../src/gate/records.ts';
import { writeBundle } from '../unit/gate/bundle.ts';
import { netns, PORT, useFixture } from './fixture.ts';
import { ruleSet } from './rules.ts';

const { workload, granted, agents } = await useFixture();
const folder = mkdtempSync(join(tmpdir(), 'egresstrator-gate-'));
const bundle = join(folder, 'c0ffee');
const runDir = join(folder, 'run');
let first: ChildProcess;

beforeAll(async () => {
  const real = join(folder, 'real');
  const [command = '', ...prefix] = workload.prefix;
  first = spawn(command, [...prefix, 'sleep', '600'], { stdio: 'ignore' });
  writeFileSync(
    real,
    `#!/bin/sh\necho "$*" >>${folder}/called\necho '{ "pid": ${first.pid}, "bundle": "${bundle}" }'\n`,
  );
  chmodSync(real, 0o755);
  mkdirSync(join(bundle, 'containers'), { recursive: true });
  const conf = confFile({ runtime: real, runDir, containers: join(bundle, 'containers') });
  for (const { name, content } of [...(await programFiles()), conf])
    writeFileSync(join(folder, name), content);
});
afterAll(() => {
  first.kill();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await netns(workload, 'clear');
  rmSync(runDir, { recursive: true, force: true });
});

/** Has the gate start a container with these variables; resolves with the owners of what it loaded. */
async function start(...environment: readonly string[]): Promise<string> {
  writeBundle(bundle, { environment });
  const args = [join(folder, 'runtime'), 'start', 'c0ffee'];
  const { status, stderr } = spawnSync('sh', args, { cwd: bundle, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return (await netns(workload, 'list')).stdout.replace('\n', ' ');
}

/** In the moments after a load nobody is answered, thereafter the caller is told. */
const DENIED = /^(?:silence|ECONNREFUSED)$/;

/** Of the load of rules about callers, as the controller reads it. */
const record = () =>
  parseRecord(readFileSync(join(runDir, 'gate/c0ffee.ingress'), 'utf8'), Number(first.pid), 'ingress');

const call = (): Promise<string> => agents.granted.open('x', workload.ipv4, PORT);

it('lets nobody in where nothing is prepared', async () => {
  expect(await start('EGRESSTRATOR_INGRESS=web')).toBe('ingress');
  expect(await call()).toMatch(DENIED);
  expect(await agents.workload.open('y', granted.ipv4, PORT)).toBe('connected');
  expect(existsSync(join(runDir, 'gate/c0ffee'))).toBe(false);
  expect(record()).toMatchObject({ kind: 'lockdown', reason: 'no prepared rules' });
});

it('lets in the prepared callers, with egress rules and without', async () => {
  const request = { keys: ['metrics', 'web'], mode: 'enforce' } as const;
  const { text, fingerprint } = renderIngress(
    loadIngressTemplate(),
    ruleSet(`${granted.ipv4}:tcp/${PORT}`),
    'enforce',
  );
  mkdirSync(join(runDir, 'prepared'), { recursive: true });
  writeFileSync(join(runDir, 'prepared', `${preparedIngressName(request)}.ingress`), text);
  expect(await start('EGRESSTRATOR_INGRESS=web,metrics')).toBe('ingress');
  expect(await call()).toBe('connected');
  expect(record()).toMatchObject({ kind: 'prepared', fingerprint });
  expect(await agents.denied.open('x', workload.ipv4, PORT)).toMatch(DENIED);
  await netns(workload, 'clear');
  expect(await start('EGRESSTRATOR_INGRESS=web,metrics', 'EGRESSTRATOR_ENABLE=1')).toBe('egress ingress');
  expect(await agents.workload.open('y', granted.ipv4, PORT)).toMatch(DENIED);
  expect(existsSync(join(runDir, 'gate/c0ffee'))).toBe(true);
  spawnSync('sh', [join(folder, 'runtime'), 'delete', 'c0ffee'], { cwd: bundle });
  expect(readdirSync(join(runDir, 'gate'))).toEqual([]);
});

it('loads no rules about callers where none are asked for', async () => {
  expect(await start('EGRESSTRATOR_ENABLE=1')).toBe('egress');
  expect(existsSync(join(runDir, 'gate/c0ffee.ingress'))).toBe(false);
});

it('closes the container where what is prepared does not load', async () => {
  const request = { keys: ['web'], mode: 'enforce' } as const;
  mkdirSync(join(runDir, 'prepared'), { recursive: true });
  writeFileSync(join(runDir, 'prepared', `${preparedIngressName(request)}.ingress`), 'nonsense\n# end\n');
  expect(await start('EGRESSTRATOR_INGRESS=web')).toBe('ingress');
  expect(await call()).toMatch(DENIED);
});

it('leaves the rules of a namespace that a container joins', async () => {
  const { text } = renderIngress(loadIngressTemplate(), ruleSet(`${granted.ipv4}:tcp/${PORT}`), 'enforce');
  expect((await netns(workload, 'load ingress', text)).exitCode).toBe(0);
  writeBundle(bundle, {
    environment: ['EGRESSTRATOR_INGRESS=web'],
    namespaces: [{ type: 'network', path: '/proc/1/ns/net' }],
  });
  const args = [join(folder, 'runtime'), 'start', 'c0ffee'];
  expect(spawnSync('sh', args, { cwd: bundle }).status).toBe(0);
  expect(await call()).toBe('connected');
});
