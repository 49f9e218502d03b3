/** `explain --json`: each cause and each hint there is, as its schema promises. */
import { expect, test } from 'vitest';
import type { NamespaceView } from '../../../../src/diagnostics/snapshot.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { expectMatchesSchema } from '../../../support/output-schemas.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';

const place = (name: string, dns: 'resolvers' | 'none'): Omit<NamespaceView, 'id'> => ({
  ...{ workloads: [name], ids: [`${name}-id`], target: name, grants: ['app', 'gone'] },
  ...{ dns, resolvers: ['10.0.0.53'] },
  mode: 'enforce',
});

const controls = (denylist: boolean) =>
  controlsOf({
    diagnostics: diagnosticsOf(() => ({
      namespaces: [place('web', 'resolvers'), place('mute', 'none')],
      keys: { app: '0.0.0.0/0:tcp/80\nsome.pg\n10.0.0.5:tcp/443\nweb', other: '10.0.0.6:tcp/1-9' },
      services: { pg: [], web: [{ address: '10.0.0.7', port: 8443, tags: [], node: 'node-1' }] },
      ...{ protectedHosts: ['169.254.169.254'], denylist },
    })),
  });

test.each([
  [['web', '127.0.0.1', 'tcp/80'], ['"because": "loopback"']],
  [['web', '10.0.0.53', 'udp/53'], ['"because": "resolver"']],
  [
    ['web', '10.0.0.5', 'tcp/443'],
    ['"because": "rules"', '"first": 443'],
  ],
  [['web', 'web'], ['"node": "node-1"']],
  [
    ['web', '10.0.0.5', 'tcp/444'],
    ['partial-match', 'unknown-key', 'no-instance', 'write'].map((kind) => `"kind": "${kind}"`),
  ],
  [['web', '169.254.169.254', 'tcp/80'], ['"kind": "protected"']],
  [['web', '10.0.0.6', 'tcp/5'], ['"kind": "grant"']],
  [['mute', '10.0.0.53', 'udp/53'], ['"kind": "no-dns"']],
  [
    ['web', '10.0.0.5'],
    ['"host": "10.0.0.5"', '"first": 443'],
  ],
])('%j is promised', async (words, expected) => {
  const { stdout } = await askController(controls(false), 'explain', ...words, '--json');
  for (const text of expected) expect(stdout).toContain(text);
  await expectMatchesSchema('explain', stdout);
});

test.each([
  ['tcp/5', '"because": "closed"'],
  ['tcp/10', '"because": "open"'],
])('%s is promised under a denylist', async (traffic, expected) => {
  const { stdout } = await askController(controls(true), 'explain', 'web', '10.0.0.6', traffic, '--json');
  expect(stdout).toContain(expected);
  await expectMatchesSchema('explain', stdout);
});
