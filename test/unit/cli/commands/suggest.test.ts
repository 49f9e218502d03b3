/** What `suggest --key` prints is a key's whole new text, and nothing but that. */
import { describe, expect, test } from 'vitest';
import { parseRules } from '../../../../src/policy/rule.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { diagnosticsOf, type SnapshotInput } from '../../../support/snapshot.ts';

const places = [
  { workloads: ['web'], ids: ['aa'], target: 'web', grants: ['app', 'gone'], mode: 'enforce', dns: 'none' },
  { workloads: ['job'], ids: ['bb'], target: 'job', grants: ['cash'], mode: 'enforce', dns: 'none' },
] as const;
const seen = (address: string, port: number) => ({
  ...{ address, protocol: 'tcp', port, packets: 1, firstSeenAt: 1, lastSeenAt: 1 },
});
const destinations = [
  ...[seen('10.0.0.5', 80), seen('10.0.0.5', 81), seen('10.1.0.1', 443), seen('169.254.169.254', 80)],
  ...[seen('10.2.0.1', 5432), { ...seen('10.0.0.9', 0), protocol: '132' }],
];
const denied = (container: string | undefined) =>
  places
    .filter(({ target }) => container === undefined || target === container)
    .map(({ target, workloads, mode }) => ({ container: target, workloads, mode, destinations, readAt: 1 }));
const known: SnapshotInput = {
  namespaces: places,
  keys: { app: '# of the team\n10.1.0.0/16:tcp/443 # held\npg\n', other: '10.0.0.5:tcp/80-81' },
  services: { pg: [{ address: '10.2.0.1', port: 5432, tags: [], node: 'one' }] },
  protectedHosts: ['169.254.169.254'],
};
const controls = controlsOf({
  diagnostics: diagnosticsOf(() => known, denied),
});

async function suggest(...args: readonly string[]) {
  const { stdout, stderr } = await askController(controls, 'suggest', ...args);
  return { text: stdout, notes: stderr.trimEnd().split('\n') };
}

test('a key keeps its own text, and gets each rule that it lacks once', async () => {
  const { text, notes } = await suggest('--key', 'app');
  expect(text).toBe(
    '# of the team\n10.1.0.0/16:tcp/443 # held\npg\n10.0.0.5:tcp/80-81\n169.254.169.254:tcp/80\n',
  );
  expect(parseRules('app', text).problems).toEqual([]);
  expect(notes).toEqual([
    'job does not have the key app, so its rules do not apply: EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set job --rules app',
    '169.254.169.254:tcp/80 names protected address, such as cloud credentials: check before you allow it',
    'web: no rule can express 10.0.0.9 132/0',
    'job: no rule can express 10.0.0.9 132/0',
  ]);
});

test('a key that is not there yet gets rules and no comments', async () => {
  const { text, notes } = await suggest('web', '--key', 'gone');
  expect(text).toBe('pg\n10.0.0.5:tcp/80-81\n10.1.0.1:tcp/443\n169.254.169.254:tcp/80\n');
  expect(notes[0]).toBe('Consul has no key gone yet; consul kv put creates it');
  expect(notes.join()).not.toContain('does not ask');
});

test('a key that holds all of it stays as it is', async () => {
  const once = await suggest('web', '--key', 'other');
  expect(once.text.split('\n').filter((line) => line === '10.0.0.5:tcp/80-81')).toHaveLength(1);
  expect(once.text).not.toContain('#');
});

test('asking for a key that exists takes a container made anew, or set until then', async () => {
  const { text } = await suggest('web');
  expect(text).toContain(
    '# to use an existing key, add it to EGRESSTRATOR_ACL instead: EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set web --rules app,other\n',
  );
});

describe('under a denylist, where a key that is not granted closes what it names', () => {
  const destinations = [
    seen('10.0.0.5', 80),
    seen('10.0.0.6', 443),
    { ...seen('10.3.0.1', 123), protocol: 'udp' },
  ];
  const closed = controlsOf({
    diagnostics: diagnosticsOf(
      () => ({
        namespaces: places,
        keys: { app: '10.1.0.0/16:tcp/443', shop: '10.0.0.5:tcp/80', bank: '10.0.0.0/24:tcp' },
        denylist: true,
      }),
      (container) => denied(container).map((one) => ({ ...one, destinations })),
    ),
  });

  test('the keys to ask for are told, and rules only for what none of them closes', async () => {
    const { stdout } = await askController(closed, 'suggest', 'web');
    expect(stdout.trimEnd().split('\n')).toEqual([
      '# web: 3 denied destinations',
      '# the template denylist is in use, and shop and bank, not granted, close what they name:',
      '# key shop (1 rule) closes 1 destination, by line 1: 10.0.0.5:tcp/80',
      '# key bank (1 rule) closes 2 destinations, by line 1: 10.0.0.0/24:tcp',
      '# to open them, add shop and bank to EGRESSTRATOR_ACL: EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set web --rules app,shop,bank',
      '10.3.0.1:udp/123',
    ]);
  });

  test('a key is not given rules that open nothing', async () => {
    const { stdout, stderr } = await askController(closed, 'suggest', 'web', '--key', 'app');
    expect(stdout).toBe('10.1.0.0/16:tcp/443\n10.3.0.1:udp/123\n');
    expect(stderr).toContain('web: the template denylist is in use, and shop and bank, not granted, close');
  });
});
