/** One container, as text: what it may reach, who may reach it, or both. */
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { formatContainer } from '../../../../src/cli/format/container.ts';
import type { Ingress } from '../../../../src/daemon/api/schema.ts';
import type { NamespaceStatus } from '../../../../src/features/egress/status.ts';

const CALLED: z.infer<typeof Ingress> = {
  ...{ id: 'app@1', workloads: ['app'], target: 'app', state: 'closed', keys: [], mode: 'enforce' },
  ...{
    lastError: 'no nf_tables',
    problems: [{ severity: 'error', key: 'ingress web', reason: 'no such key' }],
  },
};

const NAMESPACE: NamespaceStatus = {
  ...{ id: 'app@1', workloads: ['app'], target: 'app', state: 'protected', grants: ['db'], mode: 'enforce' },
  ...{ dns: 'none', hasRawSockets: false, fingerprint: 'ab', verifiedAt: 0, lastError: undefined },
  problems: [],
};

const plain = (_colour: unknown, text: string) => text;

test('a container with ingress keys alone', () => {
  expect(formatContainer({ ingress: CALLED }, 0, plain).split('\n')).toEqual([
    'called       app',
    'target       app',
    'ingress      closed',
    'description  nobody can reach it: no ingress key lets anyone in, or the keys are too old (--max-age)',
    'keys         none',
    'mode         enforce',
    'rules        none loaded',
    'verified     never',
    'last error   no nf_tables',
    '',
    'error: key ingress web: no such key',
  ]);
});

test('egress rules come first', () => {
  const text = formatContainer(
    { namespace: { ...NAMESPACE, problems: [], workloads: ['app'], grants: ['db'] }, ingress: CALLED },
    0,
    plain,
  );
  expect(text.indexOf('state        protected')).toBeGreaterThan(-1);
  expect(text.indexOf('state        protected')).toBeLessThan(text.indexOf('ingress      closed'));
  expect(formatContainer({ ingress: undefined }, 0, plain)).toBe('');
});
