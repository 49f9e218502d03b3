/**
 * Templates in a running controller: a user's own, its edits good and bad, and the other shipped ones.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { becomes, control, type Fixture, ipv4, ipv6, openFixture, putKey } from '../support/fixture.ts';
import { handles, inside, ourTables } from '../support/kernel.ts';
import { connects } from '../support/workloads.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-template-'));
const file = join(folder, 'own.hbs');
const included = readFileSync(
  fileURLToPath(new URL('../../templates/nftables.hbs', import.meta.url)),
  'utf8',
);

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('28.5');
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The shipped template, which also lets this port pass. */
const alsoAllowing = (port: number): string =>
  included.replace('    jump allowed\n', `    tcp dport ${port} accept\n    jump allowed\n`);

test('a template of the user is read again when it changes, and a bad one changes nothing', async () => {
  const { server, other, workloads } = fixture;
  const [near, far] = [ipv4(server), ipv4(other)];
  await putKey(fixture, 'own/db', `${near}:tcp/80`);
  writeFileSync(file, alsoAllowing(9));
  await using controller = await control(fixture, 'own/', ['-f', file, '--loader', 'nsenter']);
  const workload = await workloads.run('own', { acl: 'db' });
  await becomes(workload, near, 81, 'refused');
  expect(await connects(workload, near, 80)).toBe('ok');

  writeFileSync(file, alsoAllowing(81));
  await becomes(workload, near, 81, 'ok');
  expect(await connects(workload, far, 81)).toBe('ok');
  expect(await connects(workload, far, 80)).toBe('refused');
  const good = await handles(workload.pid);

  const misspelt = included.replace('{{generation}}', '{{generatoin}}');
  const bad: readonly [text: string, reason: string][] = [
    [`${included}{{#if`, 'Handlebars cannot read'],
    [misspelt, `line ${lineOf(misspelt, '{{generatoin}}')}: the context has no "generatoin" here`],
    [alsoAllowing(9).replace('tcp dport 9', 'tcp dprot 9'), 'does not load'],
  ];
  for (const [text, reason] of bad) {
    const lines = controller.log.length;
    writeFileSync(file, text);
    const complaint = await controller.logged(({ level }) => level === 'error', reason, lines);
    expect(complaint).toMatchObject({
      msg: 'template cannot be used; keeping the last good template',
      template: file,
    });
    expect(complaint.error).toContain(reason);
    expect(await handles(workload.pid)).toBe(good);
  }
  // The last good one is what new workloads get too.
  const another = await workloads.run('own-too', { acl: 'db' });
  await becomes(another, far, 80, 'refused');
  expect(await connects(another, far, 81)).toBe('ok');

  const lines = controller.log.length;
  writeFileSync(file, alsoAllowing(9));
  controller.signal('SIGHUP');
  await controller.logged(({ msg }) => msg === 'template loaded', 'SIGHUP', lines);
  await becomes(workload, near, 81, 'refused');
  expect(await connects(workload, near, 80)).toBe('ok');
  await workloads.remove(workload, another);
});

test('by iptables, for kernels without nf_tables', async () => {
  const { server, other, workloads, network } = fixture;
  const byName = 'api.example.com:tcp/443';
  await putKey(
    fixture,
    'ipt/db',
    `${ipv4(server, network)}:tcp/80`,
    `${ipv6(server, network)}:udp/80`,
    byName,
  );
  await using controller = await control(fixture, 'ipt/', ['-f', 'iptables', '--loader', 'helper']);
  const workload = await workloads.run('ipt', { acl: 'db', network });
  await controller.logged(({ msg }) => msg === 'rules loaded', 'a load');
  const [near, near6] = [ipv4(server, network), ipv6(server, network)];
  const probes = [
    [near, 80, 'tcp'],
    [near6, 80, 'udp'],
    [near, 81, 'tcp'],
    [near6, 80, 'tcp'],
    [ipv4(other, network), 80, 'tcp'],
    [ipv6(other, network), 80, 'udp'],
  ] as const;
  const found = await Promise.all(
    probes.map(([address, port, protocol]) => connects(workload, address, port, protocol)),
  );
  expect(found).toEqual(['ok', 'ok', 'refused', 'refused', 'refused', 'refused']);
  expect((await workloads.exec(workload, 'nslookup', server.name)).stdout).toContain(near);
  expect(await ourTables(inside(workload.pid))).toEqual([]);
  const { namespaces } = await controller.status();
  expect(namespaces.find(({ target }) => target === workload.name)?.problems).toMatchObject([
    { text: byName, reason: expect.stringContaining('the template iptables has no rules by name') },
  ]);
  await workloads.remove(workload);
});

test('by denylist, as egresstrator 0.2 did: only what others are granted is closed', async () => {
  const { server, other, workloads } = fixture;
  await putKey(fixture, 'deny/mine', `${ipv4(server)}:tcp/80`);
  await putKey(fixture, 'deny/theirs', `${ipv4(server)}:tcp/81`);
  await using controller = await control(fixture, 'deny/', ['-f', 'denylist', '--loader', 'nsenter']);
  const workload = await workloads.run('deny', { acl: 'mine' });
  await controller.logged(({ msg }) => msg === 'rules loaded', 'a load');
  expect(await connects(workload, ipv4(server), 80)).toBe('ok');
  expect(await connects(workload, ipv4(server), 81)).toBe('refused');
  expect(await connects(workload, ipv4(other), 81)).toBe('ok');
  await putKey(fixture, 'deny/theirs', `${ipv4(other)}:tcp/81`);
  await becomes(workload, ipv4(other), 81, 'refused');
  await becomes(workload, ipv4(server), 81, 'ok');
  await workloads.remove(workload);
});

const lineOf = (text: string, word: string): number => text.slice(0, text.indexOf(word)).split('\n').length;
