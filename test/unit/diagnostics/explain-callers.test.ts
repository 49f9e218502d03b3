/** Whether a service reaches a port of a container: each of its instances, at each address from which it calls. */
import { expect, it, test } from 'vitest';
import { formatExplainIn } from '../../../src/cli/format/explain-in.ts';
import { HOST_OFF } from '../../../src/diagnostics/host-view.ts';
import type { IngressView } from '../../../src/features/ingress/view.ts';
import { plain } from '../../../src/format/style.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { compile } from '../../../src/policy/compile.ts';
import { byId, container } from '../../support/containers.ts';
import { prefix } from '../../support/host-claims.ts';
import { diagnosticsOf } from '../../support/snapshot.ts';

const at = (address: string, node: string, tags: readonly string[] = []) => ({
  address,
  port: 9090,
  tags,
  node,
});
const SERVICES = {
  prometheus: [at('198.51.100.9', 'n1', ['main']), at('198.51.100.10', 'n2'), at('2001:db8::9', 'n1')],
  here: [at('192.0.2.1', 'me')],
};
const on = (ipv4: string) => [{ id: 'a', name: 'a', endpoint: 'e', ipv4: prefix(ipv4), ipv6: undefined }];
const WEB = container('web', { networks: on('172.18.0.2') });
/** It is the instance of `here`: its port is published where that is registered. */
const PEER = container('peer', {
  networks: on('172.18.0.3').map((one) => ({ ...one, ipv6: prefix('fd00:18::3') })),
  ports: [{ host: prefix('192.0.2.1'), hostPort: 9090, protocol: 'tcp', containerPort: 80 }],
});

const KEYS = { metrics: 'prometheus:tcp/9100', one: '198.51.100.9:icmp/8\n198.51.100.9:tcp/80' };
const ACL = parseAcl(new Map(Object.entries(KEYS)), new Map(), 'ingress');
const CATALOG = new Map(Object.entries(SERVICES));
const VIEW: IngressView = {
  ...{ ids: [WEB.id], target: 'web', keys: [...ACL.keys()], mode: 'enforce', state: 'protected' },
  policy: compile([...ACL.keys()], ACL, CATALOG, [], 'ingress'),
};

const neighbours = { node: 'me', containers: byId(WEB, PEER) };
const diagnostics = diagnosticsOf(
  () => ({ services: SERVICES, ingress: { acl: ACL, workloads: [], containers: [], neighbours } }),
  () => [],
  () => ({ ...HOST_OFF, containers: [WEB, PEER] }),
  undefined,
  () => [VIEW],
);
const ask = (source: string, traffic: string) => diagnostics.explainIn({ container: 'web', source, traffic });

const callersOf = async (...question: Parameters<typeof ask>) =>
  (await ask(...question)).callers?.map(({ source, node, passes }) => [source, node, passes]);

test.each([
  ['main.prometheus', 'tcp/9100', true],
  ['prometheus', 'tcp/9100', false],
  ['main.prometheus', 'tcp/80', true],
  ['prometheus', 'tcp/80', false],
])('%s to %s: %s', async (source, traffic, passes) => {
  expect((await ask(source, traffic)).passes).toBe(passes);
});

it('has an answer for each instance', async () => {
  expect(await callersOf('prometheus', 'tcp/80')).toEqual([
    ['198.51.100.9', 'n1', true],
    ['198.51.100.10', 'n2', false],
    ['2001:db8::9', 'n1', false],
  ]);
  expect(await callersOf('prometheus', 'icmp/8')).toEqual([
    ['198.51.100.9', 'n1', true],
    ['198.51.100.10', 'n2', false],
  ]);
});

it('knows the own addresses of an instance that is a container of this host', async () => {
  expect((await callersOf('here', 'tcp/80'))?.map(([source]) => source)).toEqual(['192.0.2.1', '172.18.0.3']);
});

it('prints each, by name and address', async () => {
  const text = formatExplainIn(await ask('prometheus', 'tcp/9100'), plain);
  expect(text.split('\n').filter((line) => /^prometheus| {2}ingress/.test(line))).toEqual([
    'prometheus at 198.51.100.9 (n1) can reach tcp/9100 of web.',
    '  ingress          passes   ingress key metrics line 1: prometheus:tcp/9100 (instance 198.51.100.9)',
    'prometheus at 198.51.100.10 (n2) can reach tcp/9100 of web.',
    '  ingress          passes   ingress key metrics line 1: prometheus:tcp/9100 (instance 198.51.100.10)',
    'prometheus at 2001:db8::9 (n1) cannot reach tcp/9100 of web.',
  ]);
});

test.each([
  ['nobody', 'tcp/80', 'service nobody not checked: Consul unavailable'],
  ['beta.prometheus', 'tcp/80', 'Consul has no instance of prometheus with the tag "beta"; 3 without it'],
  ['here', 'icmpv6/128', 'no instance of here has an address that can send icmpv6/128'],
  [
    '10.0.0.0/8',
    'tcp/80',
    'expected the address of a caller, as 198.51.100.7, or a service, as prometheus, got "10.0.0.0/8"',
  ],
  ['https://shop', 'tcp/80', 'or a service, as prometheus, got "https://shop"'],
  ['prometheus', 'tcp', 'expected a protocol and a port of the container, as tcp/80'],
])('%s %s: %s', async (source, traffic, message) => {
  await expect(ask(source, traffic)).rejects.toThrow(message);
});
