/** What the controller is told, over runners that print this or that. */

import { expect, test } from 'vitest';
import { LoadError } from '../../../src/common/errors.ts';
import { createDataplane } from '../../../src/dataplane/create-dataplane.ts';
import type { NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { DryRunDataplane } from '../../../src/dataplane/dry-run.ts';
import { exited } from '../../../src/dataplane/load-errors.ts';
import { defaultLimits, limitsFor } from '../../../src/dataplane/resource-limits.ts';
import { argumentsOf, type Command, type NamespaceRunner } from '../../../src/dataplane/runner.ts';
import { AutoRunner } from '../../../src/dataplane/select-loader.ts';
import { withFacts } from '../../../src/features/egress/facts.ts';
import { NOTHING_DENIED } from '../../../src/inventory/denied-record.ts';
import type { Ruleset } from '../../../src/inventory/ruleset.ts';

const web: NamespaceRef = {
  containerId: 'ab'.repeat(32),
  name: 'web',
  pid: 4242,
  startedAt: '2026-01-01T00:00:00Z',
};
const egress = (text: string): Ruleset => ({ owner: 'egress', text, fingerprint: '12ab' });
const LOAD: Command = { name: 'load', owner: 'egress', listing: '-' };
const INSPECT: Command = { name: 'inspect', owner: 'egress', listing: '-' };
const digest = 'ab'.repeat(32);
const nothing = { fingerprint: undefined, facts: undefined, digest: undefined };

function printing(stdout: string) {
  const runs: unknown[][] = [];
  const run = async (...args: unknown[]) => {
    runs.push(args);
    return { stdout };
  };
  const runner: NamespaceRunner = {
    run,
    testLoad: run,
    loaderOf: () => 'helper',
    close: async () => {},
  };
  return { runner, runs };
}

test('load gives the text to the namespace and reads back what is there', async () => {
  const { runner, runs } = printing(`fingerprint 12\ndigest ${digest}\n`);
  const loaded = await createDataplane(runner).load(web, egress('text'));
  expect(loaded).toEqual({ fingerprint: '12', facts: undefined, digest });
  expect(runs).toEqual([[web, LOAD, 'text']]);
});

test('inspect, clear, denied and testLoad', async () => {
  const { runner, runs } = printing('');
  const dataplane = createDataplane(runner);
  expect(await dataplane.inspect(web, 'egress')).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
  await dataplane.clear(web, 'egress');
  await dataplane.clear(web);
  await dataplane.testLoad(egress('text'));
  expect(await createDataplane(printing('[]').runner).denied(web, 'egress')).toEqual(NOTHING_DENIED);
  expect(runs).toEqual([
    [web, INSPECT, undefined],
    [web, { name: 'clear', owner: 'egress' }, undefined],
    [web, { name: 'clear', owner: undefined }, undefined],
    [{ name: 'load', owner: 'egress' }, 'text'],
  ]);
});

test('an inspection tells the state and what was denied', async () => {
  const elem = { val: { concat: ['10.0.0.1', 6, 80] }, counter: { packets: 2 } };
  const set = { name: 'denied4', type: ['ipv4_addr', 'inet_proto', 'inet_service'], elem: [{ elem }] };
  const denied = JSON.stringify([{ nftables: [{ set }] }]);
  const { runner } = printing(`fingerprint 12\ndigest ${digest}\ndenied ${denied}\n`);
  expect(await createDataplane(runner).inspect(web, 'egress')).toEqual({
    loaded: { fingerprint: '12', facts: undefined, digest },
    denied: {
      ...NOTHING_DENIED,
      destinations: [{ address: '10.0.0.1', protocol: 'tcp', port: 80, packets: 2 }],
    },
  });
});

test('an inspection of what is known only compares, if an inspection has found it', async () => {
  const listing = 'cd'.repeat(32);
  const loaded = { fingerprint: '12', facts: undefined, digest };
  const first = printing(`listing ${listing}\nfingerprint 12\ndigest ${digest}\n`);
  const known = (await createDataplane(first.runner).inspect(web, 'egress', loaded)).loaded;
  expect(known).toEqual({ ...loaded, listing });
  const { runner, runs } = printing('unchanged\n');
  const left: NamespaceRunner = {
    ...runner,
    run: async () => ({ stdout: 'unchanged\n', hasProcessLeft: true }),
  };
  const dataplane = createDataplane(runner);
  expect(await dataplane.inspect(web, 'egress', { ...known, hasProcessLeft: true })).toEqual({
    loaded: known,
  });
  expect(await createDataplane(left).inspect(web, 'egress', known)).toEqual({
    loaded: { ...known, hasProcessLeft: true },
  });
  await expect(dataplane.inspect(web, 'egress')).rejects.toThrow('cannot be read');
  expect([...first.runs, ...runs].map(([, command]) => command)).toEqual([
    INSPECT,
    { ...INSPECT, listing },
    INSPECT,
  ]);
});

test.each(['inspect', 'denied'] as const)(
  '%s: what cannot be read is a LoadError that says so',
  async (method) => {
    const failure = createDataplane(printing('sh: not found').runner)[method](web, 'egress');
    await expect(failure).rejects.toThrow(LoadError);
    await expect(failure).rejects.toThrow(/of web|in web/);
    await expect(failure).rejects.toThrow('what it printed cannot be read');
  },
);

test("the program's first words go into the sentence, all of them into the evidence", () => {
  const error = exited({ command: LOAD, name: 'web' }, 1, '\n/dev/stdin:3:1-2: Error: syntax error\nmore\n');
  expect(error.message).toBe('Could not load rules in web: syntax error, in "more" (exit code 1).');
  expect(error).toMatchObject({ exitCode: 1, gone: false, stderr: expect.stringContaining('more') });
  expect(exited({ command: INSPECT, name: 'web' }, 137, '').message).toContain(
    'it was killed, perhaps because it ran out of memory',
  );
});

test('a long text may take longer, and more memory', () => {
  expect(limitsFor(undefined, defaultLimits)).toEqual(defaultLimits);
  const { limit, memory } = limitsFor('x'.repeat(3_400_000), defaultLimits);
  expect(limit).toBe(132_000);
  expect(memory).toBeGreaterThan(2 * 204 * 2 ** 20);
});

test('auto asks nsenter only where it works and sees the process, and tells which it was', async () => {
  const [nsenter, helper] = [printing('nsenter').runner, printing('helper').runner];
  const ours = { ...web, pid: process.pid };
  const runBy = async (isAvailable: boolean) => {
    const runIn = async () => ({ stdout: 'nsenter' });
    const auto = new AutoRunner({ ...nsenter, runIn }, helper, async () => isAvailable);
    const { stdout } = await auto.run(ours, INSPECT);
    expect(auto.loaderOf(ours)).toBe(stdout);
    return [stdout, (await auto.testLoad(LOAD, '')).stdout];
  };
  // Our own pid is seen, but is no process of that container.
  expect(await runBy(true)).toEqual(['helper', 'nsenter']);
  expect(await runBy(false)).toEqual(['helper', 'helper']);
});

test('add gives the elements to the set, and owners are those that are listed', async () => {
  const { runner, runs } = printing('');
  const dataplane = createDataplane(runner);
  await dataplane.add(web, 'egress', 'names4', ['192.0.2.7 timeout 5m', '192.0.2.8']);
  expect(await dataplane.owners(web)).toEqual([]);
  expect(runs).toEqual([
    [web, { name: 'add', owner: 'egress', set: 'names4' }, '192.0.2.7 timeout 5m\n192.0.2.8'],
    [web, { name: 'list' }, undefined],
  ]);
  expect(await createDataplane(printing('egress\nhost\n').runner).owners(web)).toEqual(['egress', 'host']);
  await expect(createDataplane(printing('sh: not found').runner).owners(web)).rejects.toThrow(
    'what it printed cannot be read: "sh: not found" is not an owner of rules',
  );
});

test('the words of a command', () => {
  expect(argumentsOf({ name: 'list' })).toEqual(['list']);
  expect(argumentsOf({ name: 'clear', owner: undefined })).toEqual(['clear']);
  expect(argumentsOf(LOAD)).toEqual(['load', 'egress', '-']);
  expect(argumentsOf({ name: 'add', owner: 'egress', set: 'names4' })).toEqual(['add', 'egress', 'names4']);
});

test('a dry run answers as if the text were loaded, and forgets a namespace with its container', async () => {
  const printed: string[] = [];
  const dataplane = new DryRunDataplane(({ name }, text) => printed.push(`${name}: ${text}`));
  const facts = { resolvers: ['10.0.0.1'], attachments: [] };
  const text = withFacts(
    'table inet egresstrator_egress { comment "egresstrator v1 12ab"; mark $facts }',
    facts,
  );
  const loaded = await dataplane.load(web, egress(text));
  expect(loaded).toMatchObject({ fingerprint: '12ab', facts: expect.stringMatching(/^0x[0-9a-f]{8}$/) });
  expect(await dataplane.inspect(web)).toEqual({ loaded, denied: NOTHING_DENIED });
  expect(await dataplane.inspect({ ...web, startedAt: 'later' })).toEqual({
    loaded: nothing,
    denied: NOTHING_DENIED,
  });
  expect(printed).toEqual([`web: ${text}`]);
  await dataplane.clear(web);
  expect(await dataplane.inspect(web)).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
});
