/** What the facts of a host mean: each trouble is told with a way out, and what is well is told as well. */
import { expect, test } from 'vitest';
import type { Health } from '../../../../src/cli/doctor/checks.ts';
import { mountPoints } from '../../../../src/cli/doctor/collect-networks.ts';
import { evaluate } from '../../../../src/cli/doctor/evaluate.ts';
import type { Facts } from '../../../../src/cli/doctor/facts.ts';

const gate = {
  ...{ installed: true, current: true, knownToEngine: true, isDefault: false, missingTools: [] },
  ...{ libDir: '/lib', runDir: '/run', runtime: '/usr/bin/runc', preparedTexts: 3 },
};
const engine = {
  ...{ version: '28.5.2', cgroup: '2', isRootless: false, remapsUsers: false, storesInContainerd: false },
  ...{ rootDir: '/var/lib/docker', defaultRuntime: 'runc', runtimes: new Map<string, string>() },
};
const well: Facts = {
  ...{
    version: '1.0.0',
    platform: 'linux',
    release: '6.18.1-amd64',
    isRoot: true,
    loader: 'auto',
    template: 'nftables',
  },
  ...{ nft: { value: 'nftables v1.1' }, tried: { value: true }, userNamespaces: 100 },
  ...{ engine: { value: engine }, helperImage: { value: 'egresstrator-helper:1.0.0' } },
  ...{ keys: { value: 2 }, permissions: { value: { keys: true, services: true, nodes: true } } },
  ...{ controller: { value: '1.0.0' }, socket: '/run/api.sock', gate: { value: gate } },
  ...{ host: undefined, isHostLeft: false, conntrack: true, networks: undefined },
  names: {
    ...{ rules: 0, unavailable: undefined, nsenter: true, seesContainers: true, cgroup: true },
    ...{ servers: [], consul: undefined },
  },
  firewalls: { legacyTables: [], nftTables: { value: [] }, firewalld: false, ufw: false },
};
const away = { error: 'nobody answers' };
const networks = {
  ...{ path: '/etc/n.json', file: { value: { errors: 0 } }, isMountedAlone: false },
  ...{ hasIp: true, forwards: true, isKept: true },
};

test('a host that has all of it is well', () => {
  expect(evaluate(well).filter(({ health }) => health !== 'ok')).toEqual([]);
});

const NETWORKS = 'networks.json';
const NAMES = 'rules by name';
const RESOLVERS = 'name resolvers';
const server = (address: string, outcome: string | undefined) => ({
  ...{ address, name: 'api.example.com', outcome },
});
const named = { ...well.names, rules: 3, servers: [server('127.0.0.1:53', 'NOERROR')] };
const [one, other] = [server('127.0.0.1:53', 'NOERROR'), server('[::1]:53', undefined)];

const CASES: readonly (readonly [string, Partial<Facts>, string, Health, RegExp])[] = [
  ['another system', { platform: 'darwin' }, 'kernel', 'error', /this is darwin/],
  [
    'no rule by name',
    { names: { ...well.names, nsenter: false } },
    NAMES,
    'ok',
    /would not work here: nsenter/,
  ],
  ['rules by name', { names: named }, NAMES, 'ok', /^the keys have 3$/],
  [
    'the loader of helpers',
    { names: { ...named, unavailable: 'it loads by helpers' } },
    NAMES,
    'error',
    /^the keys have 3, which grant nothing: it loads by helpers$/,
  ],
  [
    'no nsenter for names',
    { names: { ...named, nsenter: false }, tried: away },
    NAMES,
    'error',
    /nsenter does not work here \(nobody answers\)/,
  ],
  [
    'a container without the processes of the host',
    { names: { ...named, seesContainers: false } },
    NAMES,
    'error',
    /the processes of containers are not visible here, so containers with such rules have no DNS/,
  ],
  ['nobody to see', { names: { ...named, seesContainers: undefined } }, NAMES, 'ok', /3/],
  ['no cgroup', { names: { ...named, cgroup: false } }, NAMES, 'warning', /cgroups of version 2/],
  ['resolvers', { names: named }, RESOLVERS, 'ok', /^127\.0\.0\.1:53 answers$/],
  ['no resolver', { names: { ...named, servers: [] } }, RESOLVERS, 'error', /names no resolver/],
  [
    'a silent resolver',
    { names: { ...named, servers: [other] } },
    RESOLVERS,
    'error',
    /::1\]:53 does not answer/,
  ],
  [
    'one silent resolver',
    { names: { ...named, servers: [one, other] } },
    RESOLVERS,
    'warning',
    /^\[::1\]:53 does not answer, other resolvers do/,
  ],
  [
    'a resolver that fails',
    { names: { ...named, servers: [server('127.0.0.1:53', 'REFUSED')] } },
    RESOLVERS,
    'warning',
    /says REFUSED to the question for api\.example\.com/,
  ],
  [
    'no DNS server of Consul',
    { names: { ...named, consul: other } },
    RESOLVERS,
    'ok',
    /names of services are not answered, as Consul's DNS server does not answer at \[::1\]:53/,
  ],
  ['no file', { networks: { ...networks, file: away } }, NETWORKS, 'error', /cannot be used: nobody answers/],
  ['no ip', { networks: { ...networks, hasIp: false } }, NETWORKS, 'error', /program ip is missing here/],
  [
    'bad entries',
    { networks: { ...networks, file: { value: { errors: 2 } } } },
    NETWORKS,
    'warning',
    /2 errors/,
  ],
  ['a mounted file', { networks: { ...networks, isMountedAlone: true } }, NETWORKS, 'warning', /by itself/],
  ['no state folder', { networks: { ...networks, isKept: false } }, NETWORKS, 'warning', /state folder/],
  ['an old kernel', { release: '6.1.0-13-amd64' }, 'kernel', 'warning', /6\.16/],
  ['a kernel that is too old', { release: '5.15.0' }, 'kernel', 'error', /5\.16/],
  ['a template for it', { release: '5.15.0', template: 'iptables' }, 'kernel', 'warning', /6\.16/],
  ['no root', { isRoot: false }, 'user', 'warning', /not root/],
  ['no nft', { nft: away }, 'nftables', 'warning', /helper containers load rules/],
  ['nsenter that cannot', { loader: 'nsenter', tried: away }, 'nftables', 'error', /cannot be loaded/],
  ['no Engine', { engine: away }, 'docker engine', 'error', /nobody answers/],
  [
    'a rootless Engine',
    { engine: { value: { ...engine, isRootless: true } } },
    'engine setup',
    'error',
    /rootless/,
  ],
  [
    "containerd's store with the gate",
    { engine: { value: { ...engine, storesInContainerd: true } } },
    'engine setup',
    'warning',
    /containerd's store/,
  ],
  [
    'userns-remap',
    { engine: { value: { ...engine, remapsUsers: true } } },
    'engine setup',
    'ok',
    /userns-remap/,
  ],
  ['no helper image, but nsenter', { helperImage: away }, 'helper image', 'ok', /not needed/],
  ['no helper image and no nsenter', { helperImage: away, tried: away }, 'helper image', 'error', /nobody/],
  ['no Consul', { keys: away, permissions: away }, 'consul', 'error', /nobody answers/],
  ['no keys', { keys: { value: 0 } }, 'consul', 'warning', /no ACL keys/],
  [
    'a token that may not',
    { permissions: { value: { keys: true, services: false, nodes: false } } },
    'consul permissions',
    'error',
    /may not read services and nodes/,
  ],
  ['a Consul without ACLs', { permissions: { value: undefined } }, 'consul permissions', 'ok', /no ACLs/],
  ['no controller', { controller: undefined }, 'controller', 'warning', /none answers at \/run\/api\.sock/],
  ['a controller of another version', { controller: { value: '0.9.0' } }, 'controller', 'warning', /0\.9\.0/],
  ['a controller that hangs', { controller: away }, 'controller', 'error', /nobody answers/],
  [
    'no gate',
    { gate: { value: { ...gate, installed: false, knownToEngine: false } } },
    'gate',
    'warning',
    /open from its first instruction/,
  ],
  ['an old gate', { gate: { value: { ...gate, current: false } } }, 'gate', 'error', /another version/],
  [
    'a gate that the Engine does not know',
    { gate: { value: { ...gate, knownToEngine: false } } },
    'gate',
    'error',
    /not registered/,
  ],
  [
    'a gate whose files are gone',
    { gate: { value: { ...gate, installed: false } } },
    'gate',
    'error',
    /its files are missing/,
  ],
  [
    'a gate without its tools',
    { gate: { value: { ...gate, missingTools: ['nft (package nftables)'] } } },
    'gate',
    'error',
    /nft \(package nftables\)/,
  ],
  [
    'host rules',
    { host: { hasGuard: true, hasForwards: true } },
    'host rules',
    'ok',
    /^on \(--ports and --forwards\)$/,
  ],
  [
    'host rules that helpers load',
    { host: { hasGuard: false, hasForwards: true }, loader: 'helper', conntrack: false },
    'host rules',
    'ok',
    /^on \(--forwards\), by helpers/,
  ],
  [
    'forwards without conntrack',
    { host: { hasGuard: false, hasForwards: true }, conntrack: false },
    'host rules',
    'warning',
    /conntrack is missing/,
  ],
  [
    'a guard without conntrack',
    { host: { hasGuard: true, hasForwards: false }, conntrack: false },
    'host rules',
    'ok',
    /^on \(--ports\)$/,
  ],
  [
    'the table of host rules',
    {
      firewalls: {
        legacyTables: [],
        nftTables: { value: ['inet egresstrator_host'] },
        firewalld: false,
        ufw: false,
      },
    },
    'other firewalls',
    'ok',
    /^none found$/,
  ],
  ['host rules that were turned off', { isHostLeft: true }, 'host rules', 'warning', /may still be loaded/],
  [
    'other firewalls',
    { firewalls: { legacyTables: [], nftTables: { value: ['ip filter'] }, firewalld: true, ufw: true } },
    'other firewalls',
    'ok',
    /firewalld, ufw and 1 nft table/,
  ],
  [
    'both kinds of iptables',
    {
      firewalls: {
        legacyTables: ['filter'],
        nftTables: { value: ['ip filter'] },
        firewalld: false,
        ufw: false,
      },
    },
    'other firewalls',
    'warning',
    /both in use/,
  ],
  [
    "our table in the host's namespace",
    {
      firewalls: {
        legacyTables: [],
        nftTables: { value: ['inet egresstrator_egress'] },
        firewalld: false,
        ufw: false,
      },
    },
    'other firewalls',
    'error',
    /does not belong there/,
  ],
];

test.each(CASES)('%s', (_name, facts, topic, health, message) => {
  const check = evaluate({ ...well, ...facts }).find((one) => one.topic === topic);
  expect(check).toMatchObject({ health, message: expect.stringMatching(message) });
  expect(check?.remedy === undefined).toBe(health === 'ok');
});

test('a machine with nothing at all is told so in every line, and nothing fails', () => {
  const bare = {
    ...{ platform: 'win32', isRoot: false, nft: away, tried: away, userNamespaces: undefined, engine: away },
    ...{ helperImage: away, keys: away, permissions: away, controller: undefined, gate: away },
    firewalls: { legacyTables: [], nftTables: away, firewalld: false, ufw: false },
  };
  const checks = evaluate({ ...well, ...bare });
  expect(checks).toHaveLength(evaluate(well).length);
  expect(checks.filter(({ health }) => health === 'error').map(({ topic }) => topic)).toEqual([
    ...['kernel', 'docker engine', 'helper image', 'consul'],
  ]);
});

test('networks.json is looked at where there is one', () => {
  const of = (facts: Partial<Facts>) =>
    evaluate({ ...well, ...facts }).find(({ topic }) => topic === NETWORKS);
  expect(of({})).toBeUndefined();
  expect(of({ networks })).toMatchObject({ health: 'ok', message: '/etc/n.json has no errors' });
  // Their image has it.
  expect(of({ networks: { ...networks, hasIp: false }, loader: 'helper' })).toMatchObject({ health: 'ok' });
  expect(of({ networks: { ...networks, forwards: false } })?.message).toContain(
    'the controller turns that on',
  );
});

test('a mount has spaces as octal digits', () => {
  const line = '36 35 98:0 /f /etc/my\\040files/n.json rw,noatime - ext4 /dev/root rw';
  expect([...mountPoints(`${line}\n`)]).toEqual(['/etc/my files/n.json']);
});
