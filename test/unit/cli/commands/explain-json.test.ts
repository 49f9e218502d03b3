/** `explain --json`: each cause and each hint there is, as its schema promises. */
import { expect, test } from 'vitest';
import { HOST_OFF } from '../../../../src/diagnostics/host-view.ts';
import type { NetworksView } from '../../../../src/diagnostics/networks-view.ts';
import type { NamespaceView } from '../../../../src/diagnostics/snapshot.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { prefix } from '../../../support/host-claims.ts';
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

const LED = { inside: 'vpn', device: undefined, protocol: 'tcp', port: 90, toPort: 80 } as const;

const NETWORKS: NetworksView = {
  ...{ path: '/n.json', readAt: 1, error: undefined, failing: [], problems: [], permits: [] },
  entries: { networks: [], attachments: [], policies: [], routes: [] },
  inner: [
    {
      ...{ container: 'vpn', addresses: [prefix('10.0.0.5')] },
      forwards: [{ ...LED, to: prefix('10.9.0.2'), origin: { path: 'policies[2]', line: 9, lines: {} } }],
    },
  ],
};

test('where networks.json leads a port of another container is told', async () => {
  const diagnostics = diagnosticsOf(() => ({
    ...{ namespaces: [place('web', 'resolvers')], keys: { app: '10.0.0.0/8:tcp/90-91' } },
    host: { ...HOST_OFF, networks: NETWORKS },
  }));
  const ask = async (...words: readonly string[]) =>
    (await askController(controlsOf({ diagnostics }), 'explain', 'web', '10.0.0.5', ...words)).stdout;
  expect(await ask('tcp/90')).toContain(
    'There vpn leads it to 10.9.0.2 tcp/80: policies[2] of networks.json',
  );
  expect(await ask('tcp/91')).not.toContain('leads');
  await expectMatchesSchema('explain', await ask('tcp/90', '--json'));
});
