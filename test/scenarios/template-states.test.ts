/** The state of a workload under each kind of template: it must match what the text does. */
import { describe, expect, test } from 'vitest';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { compileEgressTemplate, type EgressTemplate } from '../../src/features/egress/template.ts';
import type { Mode } from '../../src/inventory/workload.ts';
import { container } from '../support/containers.ts';
import { startFake } from '../support/fake-controller.ts';

const web = container('web');
const { source } = loadTemplate('nftables');
const own = compileEgressTemplate('./own.hbs', source);
const withoutAudit = compileEgressTemplate('./own.hbs', loadTemplate('lockdown').source);

async function statusFor(template: EgressTemplate, mode: Mode, rules: Readonly<Record<string, string>>) {
  const setup = startFake({ template, mode });
  setup.consul.put(rules);
  setup.engine.run(web);
  await setup.rest();
  const [found] = setup.controller.answers.status().namespaces;
  await setup.controller.close();
  return { state: found?.state, problems: found?.problems.map(({ text, reason }) => text ?? reason) };
}

const FULL = { db: '10.0.0.1:tcp/80' };
const EMPTY = { db: '' };

describe.each([
  ['nftables', loadTemplate('nftables'), ['protected', 'isolated', 'audit']],
  ['iptables', loadTemplate('iptables'), ['protected', 'isolated', 'audit']],
  ['denylist', loadTemplate('denylist'), ['denylist', 'denylist', 'audit']],
  [
    'lockdown, which lets nothing pass in audit mode either',
    loadTemplate('lockdown'),
    ['isolated', 'isolated', 'isolated'],
  ],
  ['a user’s own, of which nobody knows what it does', own, ['custom', 'custom', 'audit']],
  ['a user’s own that knows no audit mode', withoutAudit, ['custom', 'custom', 'custom']],
] as const)('%s', (_, template, [granted, nothing, audit]) => {
  test(`${granted} with a grant, ${nothing} without one, ${audit} in audit mode`, async () => {
    expect((await statusFor(template, 'enforce', FULL)).state).toBe(granted);
    expect((await statusFor(template, 'enforce', EMPTY)).state).toBe(nothing);
    expect((await statusFor(template, 'audit', FULL)).state).toBe(audit);
  });
});

test('a denylist tells which service of a key that is not granted it cannot close', async () => {
  const setup = startFake({ template: loadTemplate('denylist') });
  setup.consul.mute('lost', new Error('No path to datacenter'));
  setup.consul.put({ ...FULL, other: 'lost' });
  setup.engine.run(web);
  await setup.rest();
  expect(setup.controller.answers.status().namespaces.flatMap(({ problems }) => problems)).toEqual([
    {
      severity: 'error',
      text: 'lost',
      reason:
        'the instances of this service could not be read, so the denylist leaves them open until they are',
    },
  ]);
  await setup.controller.close();
});
