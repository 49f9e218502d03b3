/** Inspect JSON as Engines 20.10 and 28.5 wrote it, cut down to what might matter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatPrefix, parseAddress } from '../../../../src/net/address.ts';
import { EngineAnswerError } from '../../../../src/sources/docker/errors.ts';
import { containerFrom } from '../../../../src/sources/docker/inspect.ts';
import { ourLabels, ourName } from '../../../../src/sources/docker/labels.ts';

const engines = ['20.10', '28.5'];

const golden = (name: string, engine: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'inspected', `${name}.${engine}.json`), 'utf8'));

/** The golden container with parts of its HostConfig replaced. */
const withHostConfig = (changes: object) => {
  const json = golden('plain', '28.5');
  return containerFrom({ ...json, HostConfig: { ...json.HostConfig, ...changes } });
};

describe.each(engines)('Engine %s', (engine) => {
  test('a container on two networks', () => {
    const json = golden('plain', engine);
    expect(containerFrom(json)).toEqual({
      id: json.Id,
      name: 'plain',
      running: true,
      pid: json.State.Pid,
      startedAt: json.State.StartedAt,
      network: { kind: 'own' },
      attachments: ['n1', 'n2']
        .map((name) => json.NetworkSettings.Networks[name])
        .map(({ NetworkID, EndpointID }) => `${NetworkID}:${EndpointID}`)
        .sort(),
      networks: expect.any(Array),
      ports: [],
      canBypassRules: false,
      bypasses: [],
      hasRawSockets: true,
      imageId: json.Image,
      dnsConfig: { servers: [], resolvConf: undefined },
      environment: ['EGRESSTRATOR_ENABLE=1'],
      labels: {},
    });
  });

  test('one that shares the namespace of another names it by id, and has no attachments of its own', () => {
    const { network, attachments, canBypassRules } = containerFrom(golden('member', engine));
    expect(network).toEqual({ kind: 'container', owner: golden('plain', engine).Id });
    expect(attachments).toEqual([]);
    expect(canBypassRules).toBe(true);
  });

  test("one on the host's network", () => {
    expect(containerFrom(golden('host', engine)).network).toEqual({ kind: 'host' });
  });

  test('one with no network has a namespace all the same, in which others may put one', () => {
    const { network, attachments } = containerFrom(golden('none', engine));
    expect({ network, attachments }).toEqual({ network: { kind: 'own' }, attachments: [] });
  });

  test('one that was created and never started', () => {
    const { running, pid, attachments } = containerFrom(golden('created', engine));
    expect({ running, pid, attachments }).toEqual({ running: false, pid: 0, attachments: [] });
  });

  test('one between two tries of a crash loop does not run, though the Engine says "running"', () => {
    const json = golden('restarting', engine);
    expect(json.State.Running).toBe(true);
    expect(containerFrom(json).running).toBe(false);
  });

  test('the names of a container on its networks', () => {
    const json = golden('plain', engine);
    const Networks = Object.fromEntries(
      Object.entries<object>(json.NetworkSettings.Networks).map(([name, one]) => [
        ...[name, { ...one, Aliases: ['www', 'api'], DNSNames: name === 'n1' ? ['plain', 'www'] : null }],
      ]),
    );
    const { networks } = containerFrom({ ...json, NetworkSettings: { ...json.NetworkSettings, Networks } });
    const aliases = Object.fromEntries(networks.map((one) => [one.name, one.aliases]));
    expect(aliases).toEqual({ n1: ['www', 'api', 'plain'], n2: ['www', 'api'] });
    const many = Array.from({ length: 1_000 }, (_, index) => `a${index}`);
    Object.assign(Networks.n1 ?? {}, { Aliases: [...many, 'x'.repeat(300)], DNSNames: undefined });
    const [first] = containerFrom({ ...json, NetworkSettings: { Networks: { n1: Networks.n1 } } }).networks;
    expect(first?.aliases).toEqual(many.slice(0, 64));
    Object.assign(Networks.n1 ?? {}, { Links: ['db-1:db', 'cache', `${'x'.repeat(600)}:x`] });
    const [linked] = containerFrom({ ...json, NetworkSettings: { Networks: { n1: Networks.n1 } } }).networks;
    expect(linked?.links).toEqual([
      { to: 'db-1', name: 'db' },
      { to: 'cache', name: 'cache' },
    ]);
    expect(networks.every(({ links }) => links === undefined)).toBe(true);
  });

  test('name servers, and where the Engine has written them down', () => {
    const json = golden('plain', engine);
    const HostConfig = { ...json.HostConfig, Dns: ['192.0.2.1'] };
    const { dnsConfig } = containerFrom({ ...json, HostConfig, ResolvConfPath: '/var/lib/resolv.conf' });
    expect(dnsConfig).toEqual({ servers: ['192.0.2.1'], resolvConf: '/var/lib/resolv.conf' });
  });
});

test.each([
  [{ CapAdd: ['SYS_ADMIN'] }, true],
  [{ CapAdd: ['cap_sys_module'] }, true],
  [{ CapAdd: ['NET_RAW'] }, false],
])('capabilities %j let it undo its rules: %j', (changes, canBypassRules) => {
  expect(withHostConfig(changes).canBypassRules).toBe(canBypassRules);
});

test('a helper of ours undoes nothing, and neither its labels nor its name alone make a helper', () => {
  const json = golden('plain', '28.5');
  const canBypassRules = (Name: string, Labels: Readonly<Record<string, string>>, NetworkMode: string) => {
    const HostConfig = { ...json.HostConfig, CapAdd: ['NET_ADMIN'], NetworkMode };
    return containerFrom({ ...json, Name, Config: { ...json.Config, Labels }, HostConfig }).canBypassRules;
  };
  const [name, labels] = [`/${ourName('helper')}`, ourLabels('instance', 0)];
  expect(canBypassRules(name, labels, 'container:owner')).toBe(false);
  expect(canBypassRules(name, labels, 'bridge')).toBe(true);
  expect(canBypassRules('/web', labels, 'container:owner')).toBe(true);
  expect(canBypassRules(name, {}, 'container:owner')).toBe(true);
});

test("the Engine's socket lets it undo its rules", () => {
  const json = golden('plain', '28.5');
  const Mounts = [{ Source: '/var/run/docker.sock', Destination: '/docker' }];
  expect(containerFrom({ ...json, Mounts }).canBypassRules).toBe(true);
});

test.each([
  [{}, true],
  [{ CapDrop: ['NET_RAW'] }, false],
  [{ CapDrop: ['cap_net_raw'] }, false],
  [{ CapDrop: ['ALL'] }, false],
  [{ CapDrop: ['ALL'], CapAdd: ['NET_RAW'] }, true],
  [{ CapDrop: ['NET_RAW'], CapAdd: ['ALL'] }, false],
  [{ CapDrop: ['ALL'], Privileged: true }, true],
])('capabilities %j let it open raw sockets: %j', (changes, hasRawSockets) => {
  expect(withHostConfig(changes).hasRawSockets).toBe(hasRawSockets);
});

test('created with no network and connected to one later: it has a network of its own', () => {
  const json = golden('none', '20.10');
  const connected = { n1: { NetworkID: 'network', EndpointID: 'endpoint' } };
  const { network, attachments } = containerFrom({ ...json, NetworkSettings: { Networks: connected } });
  expect({ network, attachments }).toEqual({ network: { kind: 'own' }, attachments: ['network:endpoint'] });
});

test.each([
  [{ Privileged: true }, true],
  [{ CapAdd: ['NET_ADMIN'] }, true],
  [{ CapAdd: ['CAP_NET_ADMIN'] }, true],
  [{ CapAdd: ['cap_net_admin'] }, true],
  [{ CapAdd: ['all'] }, true],
  [
    { CapAdd: ['ALL'], CapDrop: ['NET_ADMIN', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO', 'DAC_READ_SEARCH'] },
    false,
  ],
  [{ CapAdd: ['NET_ADMIN'], CapDrop: ['ALL'] }, true],
  [{ CapAdd: ['NET_RAW', 'SYS_TIME'] }, false],
  [{ CapAdd: null, CapDrop: ['ALL'] }, false],
])('%j could undo its rules: %j', (changes, expected) => {
  expect(withHostConfig(changes).canBypassRules).toBe(expected);
});

test('paused is running: its namespace is there, and it may go on at any time', () => {
  const json = golden('plain', '28.5');
  expect(containerFrom({ ...json, State: { ...json.State, Status: 'paused', Paused: true } }).running).toBe(
    true,
  );
});

test.each([null, 'text', {}, { Id: 1 }, { ...golden('plain', '28.5'), State: undefined }])(
  'no inspect JSON: %#',
  (json) => {
    expect(() => containerFrom(json)).toThrow(EngineAnswerError);
  },
);

test('its addresses are told by network, in the order of its attachments', () => {
  const json = golden('plain', '28.5');
  const { attachments, networks } = containerFrom(json);
  expect(networks.map(({ id, endpoint }) => `${id}:${endpoint}`)).toEqual(attachments);
  for (const { name, ipv4, ipv6 } of networks) {
    expect(ipv4).toEqual(parseAddress(json.NetworkSettings.Networks[name].IPAddress));
    expect(ipv6).toBeUndefined();
  }
});

test('published are the ports that the Engine has bound, whatever the image exposes', () => {
  const json = golden('plain', '28.5');
  const Ports = {
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '32768' },
      { HostIp: '::', HostPort: '32768' },
    ],
    '53/udp': [{ HostIp: '127.0.0.1', HostPort: '53' }],
    '36412/sctp': [{ HostIp: '', HostPort: '36412' }],
    ...{ '81/tcp': null, '82/tcp': [{ HostIp: '', HostPort: '' }], 'no port': [{ HostPort: '1' }] },
  };
  const { ports } = containerFrom({ ...json, NetworkSettings: { ...json.NetworkSettings, Ports } });
  expect(
    ports.map(({ host, hostPort, containerPort, protocol }) => [
      `${formatPrefix(host)}:${hostPort}`,
      `${containerPort}/${protocol}`,
    ]),
  ).toEqual([
    ['0.0.0.0/0:36412', '36412/sctp'],
    ['127.0.0.1:53', '53/udp'],
    ['0.0.0.0/0:32768', '80/tcp'],
    ['::/0:32768', '80/tcp'],
  ]);
});
