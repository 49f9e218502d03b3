/** What people read, word by word. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatCluster } from '../../../../src/cli/format/cluster.ts';
import { formatDenied, formatOne } from '../../../../src/cli/format/denied.ts';
import { formatKeys } from '../../../../src/cli/format/keys.ts';
import { formatFindings } from '../../../../src/cli/format/lint.ts';
import { formatNamespace, formatStatus, type Status } from '../../../../src/cli/format/status.ts';
import { hostStatusOf, parseHostStatus } from '../../../../src/daemon/host-status.ts';
import { deniedAnswer } from '../../../../src/diagnostics/denied-answer.ts';
import { createExplainer } from '../../../../src/diagnostics/explain.ts';
import { plainExplanation } from '../../../../src/diagnostics/explain-answer.ts';
import { lint } from '../../../../src/diagnostics/lint.ts';
import { catalogIndex } from '../../../../src/diagnostics/suggest.ts';
import { suggestAnswer } from '../../../../src/diagnostics/suggest-answer.ts';
import { instancesOf, parseTarget } from '../../../../src/diagnostics/target.ts';
import { unrecorded } from '../../../../src/diagnostics/unavailable.ts';
import { formatDiff } from '../../../../src/format/diff.ts';
import { formatExplanation } from '../../../../src/format/explain.ts';
import { plain, type Style } from '../../../../src/format/style.ts';
import { formatEntry, formatSuggestions } from '../../../../src/format/suggest.ts';
import { ago } from '../../../../src/format/values.ts';
import type { DeniedReport } from '../../../../src/inventory/denied-record.ts';
import { snapshotOf } from '../../../support/snapshot.ts';
import { aclOf, catalogOf, instance, to, view } from '../../diagnostics/fixtures.ts';

const NOW = 1_000_000_000;
const AUTO = { loader: 'auto', recordsDenied: true };
const tags: Style = (colour, text) => `<${colour}>${text}</>`;
const lines = (text: string): readonly string[] => text.split('\n');

const status: Status = {
  controller: {
    version: '1.0.0',
    node: 'host-1',
    loader: 'auto',
    template: 'nftables',
    startedAt: NOW - 3_600_000,
  },
  namespaces: [
    {
      ...{
        id: 'b1@0',
        workloads: ['web', 'sidecar'],
        target: 'web',
        state: 'protected',
        grants: ['db', 'net'],
      },
      ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: false, fingerprint: '0123456789abcdef' },
      ...{ verifiedAt: NOW - 4_000, problems: [] },
    },
    {
      ...{
        id: 'a1@0',
        workloads: ['job'],
        target: 'job',
        state: 'failed',
        grants: [],
        mode: 'enforce',
        dns: 'none',
      },
      ...{ hasRawSockets: true, lastError: 'the helper ended with 1' },
      problems: [{ severity: 'error', key: 'db', line: 3, text: '10.0.0.1', reason: 'expected a protocol' }],
    },
  ],
  sources: [
    { name: 'rules', known: true, confirmedAt: NOW - 2_000 },
    { name: 'service pg', known: true, confirmedAt: NOW - 9_000 },
    { name: 'service web', known: true, confirmedAt: NOW - 5_000 },
    { name: 'containers', known: false, error: 'the Engine does not answer' },
  ],
  unsupported: [{ name: 'proxy', problem: { severity: 'error', reason: 'it has the host’s network' } }],
};

describe('status', () => {
  test('is a table, with what is wrong below it', () => {
    expect(lines(formatStatus(status, NOW, plain))).toEqual([
      'egresstrator 1.0.0 on host-1, started 60m ago, loads nftables by auto',
      '',
      'CONTAINER     STATE      KEYS     RULES     VERIFIED',
      'job           failed*    -        -         never',
      'web, sidecar  protected  db, net  01234567  4s ago',
      '',
      '* has CAP_NET_RAW: AF_XDP sockets can bypass the rules (1 of 2):',
      '  start it with --cap-drop NET_RAW, or with the gate, which removes CAP_NET_RAW unless --cap-add requests it',
      '',
      'proxy is unsupported: it has the host’s network',
      '',
      'job: the helper ended with 1',
      '',
      'error: job: key db line 3 (10.0.0.1): expected a protocol',
      '',
      'SOURCE      CONFIRMED  STATE',
      'rules       2s ago     ok',
      'containers  never      the Engine does not answer',
      '2 services  9s ago     ok',
    ]);
  });

  test('colours what matters, and keeps the columns', () => {
    const text = formatStatus(status, NOW, tags);
    expect(text).toContain('job           <red>failed*</>    -');
    expect(text).toContain('web, sidecar  <green>protected</>  db, net');
  });

  test('tells how old what is known is, and what is too old to count', () => {
    const text = formatStatus(
      {
        ...status,
        sources: [
          {
            ...{ name: 'rules', known: false, confirmedAt: NOW - 7_300_000, error: 'Consul is away' },
            outdated: true,
          },
          { name: 'service pg', known: true, confirmedAt: NOW - 9_000, outdated: true },
          { name: 'service web', known: true, confirmedAt: NOW - 5_000 },
        ],
      },
      NOW,
      plain,
    );
    expect(lines(text).slice(-4)).toEqual([
      'SOURCE      CONFIRMED  STATE',
      'rules       2h ago     too old (--max-age), grants nothing: Consul is away',
      'service pg  9s ago     too old (--max-age), grants nothing: ok',
      '1 service   5s ago     ok',
    ]);
  });

  test('has a table of its own for who may call, and says what is wrong with it', () => {
    const web: NonNullable<Status['ingress']>[number] = {
      ...{ id: 'web@1', workloads: ['web'], target: 'web', state: 'closed', keys: ['web', 'metrics'] },
      ...{ mode: 'enforce', fingerprint: '89abcdef01', verifiedAt: NOW - 4_000 },
      problems: [{ severity: 'error', key: 'ingress web', reason: 'no such ingress key' }],
    };
    const api = { workloads: ['api'], target: 'api', keys: [], lastError: 'no nft' };
    const ingress: Status['ingress'] = [web, { ...web, ...api, state: 'failed' }];
    const text = lines(formatStatus({ ...status, ingress }, NOW, plain));
    expect(text.slice(6, 10)).toEqual([
      'CALLED  INGRESS  KEYS          RULES     VERIFIED',
      'api     failed   -             89abcdef  4s ago',
      'web     closed   web, metrics  89abcdef  4s ago',
      '',
    ]);
    expect(text).toContain('api: no nft');
    expect(text).toContain('error: key ingress web: no such ingress key');
  });

  test('tells whose a problem is that others with the key do not have', () => {
    const [web, job] = status.namespaces;
    const problems = [{ severity: 'error' as const, key: 'db', line: 1, reason: 'no DNS' }];
    const problemsOf = (...namespaces: Status['namespaces']) =>
      lines(formatStatus({ ...status, namespaces }, NOW, plain)).filter((line) => line.startsWith('error: '));
    if (web === undefined || job === undefined) throw new Error('no fixture');
    expect(problemsOf({ ...web, problems }, { ...job, grants: ['db'], problems: [] })).toEqual([
      'error: web: key db line 1: no DNS',
    ]);
    expect(problemsOf({ ...web, problems }, { ...job, grants: ['db'], problems })).toEqual([
      'error: key db line 1: no DNS',
    ]);
  });

  test('of nothing says so', () => {
    expect(formatStatus({ namespaces: [], sources: [], unsupported: [] }, NOW, plain)).toBe(
      'No running container was started with EGRESSTRATOR_ENABLE=1.',
    );
  });

  test.each([
    ['audit', true, 'all traffic passes; traffic that enforce would deny is recorded'],
    ['audit', false, 'all traffic passes; the template does not record denied destinations'],
    [
      'denylist',
      true,
      'it can reach everything except destinations of keys that it was not granted, and foreign NTP and DNS servers',
    ],
    ['custom', true, 'it has the rules of your own template; egresstrator does not know what these allow'],
  ] as const)('of one container that is %s, recorded: %s', (state, recordsDenied, meaning) => {
    const setting = { ...AUTO, recordsDenied };
    const text = status.namespaces.map((one) => formatNamespace({ ...one, state }, setting, NOW, plain));
    expect(text[0]).toContain(`description  ${meaning}\n`);
  });

  test('says what was done by hand, and since when', () => {
    const byHand = { kind: 'set', since: NOW - 300_000 } as const;
    const cleared = { kind: 'clear', since: NOW - 300_000 } as const;
    const [one] = status.namespaces;
    const namespaces = one && [
      { ...one, byHand },
      { ...one, target: 'job', byHand: cleared },
    ];
    const since = '1970-01-12T13:41:40.000Z (5m ago)';
    const text = formatStatus({ ...status, namespaces: namespaces ?? [] }, NOW, plain);
    expect(text).toContain(
      `job: its rules were removed by hand, since ${since}, until it stops or "egresstrator set job"
web: its keys were set by hand, since ${since}, until it stops or "egresstrator set web"`,
    );
    expect(one && formatNamespace({ ...one, byHand }, AUTO, NOW, plain)).toContain(
      `by hand      since ${since}\n`,
    );
  });

  test('of one container says what its state means', () => {
    const [namespace] = status.namespaces;
    expect(namespace && lines(formatNamespace(namespace, AUTO, NOW, plain))).toEqual([
      'workloads    web, sidecar',
      'target       web',
      'state        protected',
      'description  it can reach what its keys allow, and nothing else',
      'keys         db, net',
      'mode         enforce',
      'DNS          port 53 of its own resolvers',
      'raw sockets  cannot be opened',
      'rules        0123456789abcdef',
      'verified     4s ago',
      'loaded by    auto',
    ]);
    const known = namespace && formatNamespace({ ...namespace, loader: 'helper' }, AUTO, NOW, plain);
    expect(known).toContain('loaded by    helper');
    const raw = namespace && formatNamespace({ ...namespace, hasRawSockets: true }, AUTO, NOW, plain);
    expect(raw).toMatch(/^To prevent that, start it with --cap-drop NET_RAW, or with the gate, /m);
    expect(raw).toContain('raw sockets  it has CAP_NET_RAW: AF_XDP sockets can bypass the rules\n');
  });

  test('of a cluster shows which host is stale', () => {
    const known = hostStatusOf(
      {
        namespaces: [],
        unsupported: [],
        sources: [{ name: 'rules', known: true, confirmedAt: 1, error: 'lost' }],
      },
      '1.0.0',
      NOW,
      true,
    );
    expect(parseHostStatus(JSON.stringify(known))).toEqual(known);
    const hosts = [
      { node: 'a', hostStatus: known },
      {
        node: 'b',
        hostStatus: { ...known, at: NOW - 600_000, states: { protected: 2, audit: 1 }, errors: [] },
      },
      { node: 'c', hostStatus: { ...known, running: false, errors: [] } },
      { node: 'd', hostStatus: parseHostStatus('{') },
    ];
    expect(lines(formatCluster(hosts, NOW, plain))).toEqual([
      'NODE  STATE       VERSION  LAST SEEN  WORKLOADS',
      'a     errors      1.0.0    0s ago     none',
      'b     stale       1.0.0    10m ago    2 protected, 1 audit',
      'c     stopped     1.0.0    0s ago     none',
      'd     unreadable  -        never      none',
      '',
      'a: lost',
    ]);
  });
});

describe('denied', () => {
  const seen = { protocol: 'tcp', packets: 12, firstSeenAt: NOW - 60_000, lastSeenAt: NOW - 1_000 };
  const report = {
    ...{ container: 'web', workloads: ['web'], mode: 'audit' as const, readAt: NOW },
    destinations: [
      { address: '10.0.0.5', port: 5432, ...seen, packets: 3 },
      { address: '10.0.0.6', port: undefined, ...seen, protocol: '132' },
    ],
  };
  const broken = { ...report, container: 'job', destinations: [], error: 'it ended' };
  const behind = ({ container }: { readonly container: string }) =>
    container === 'web' ? { services: ['production.pg'], keys: ['db'] } : { services: [], keys: [] };
  const deniedFrom = (reports: readonly DeniedReport[], unavailableReason?: string) => {
    const { rows, ...answer } = deniedAnswer(reports, undefined, undefined);
    return { ...answer, unavailableReason, rows: rows.map((row) => ({ ...row, ...behind(row) })) };
  };

  test('is a table of destinations and what stands behind them', () => {
    expect(lines(formatDenied(deniedFrom([report, broken]), NOW, plain))).toEqual([
      'CONTAINER  DESTINATION  PORT      PACKETS  FIRST SEEN  LAST SEEN  SERVICE        ALLOWED BY KEY',
      'web        10.0.0.6     132            12  60s ago     1s ago     production.pg  db',
      'web        10.0.0.5     tcp/5432        3  60s ago     1s ago     production.pg  db',
      '',
      'job: it ended',
      '',
      'web: audit mode, so these packets passed.',
    ]);
  });

  test('says which containers were too many to be asked again', () => {
    const old = { ...report, container: 'old', destinations: [], readAt: NOW - 40_000 };
    const text = formatDenied(deniedFrom([report, old]), NOW, plain);
    expect(lines(text).at(-1)).toBe('1 of 2 containers were read up to 40s ago; name one to read it now.');
  });

  test('is not empty where nothing is recorded, but unknown', () => {
    const silence = unrecorded('iptables');
    const silent = deniedFrom([{ ...report, destinations: [] }], silence);
    const words = 'the template iptables does not record them; nftables does (--template)';
    expect(formatDenied(silent, NOW, plain)).toBe(`Denied connections are not known: ${words}.`);
    expect(formatSuggestions([], false, silence)).toBe(`# denied connections are not known: ${words}`);
    const about = status.controller && { ...status.controller, template: 'iptables' };
    const text = formatStatus({ ...status, controller: about, recordsDenied: false }, NOW, plain);
    expect(lines(text)).toContain(`Denied connections are not known: ${words}.`);
  });

  const summary = {
    ...{ packets: 9_003, spoofed: 0, frames: 0, unlisted: 4_904, isFull: true, fullAt: NOW - 180_000 },
    unlistedAt: [
      { place: '10.199.0.3', packets: 4_000 },
      { place: '10.0.0.0/8', packets: 904 },
    ],
  };

  test('tells that the record is full, and where the rest went', () => {
    const text = formatDenied(deniedFrom([{ ...report, summary }]), NOW, plain);
    expect(lines(text).slice(4, 7)).toEqual([
      'The record of web is full: 4,904 of 9,003 denied packets are not listed by destination.',
      '  10.199.0.3: 4,000 more packets',
      '  10.0.0.0/8: 904 more packets',
    ]);
    const past = { ...summary, isFull: false };
    const later = formatDenied(deniedFrom([{ ...report, summary: past }]), NOW, plain);
    expect(later).toContain('The record of web was full 3m ago: 4,904 of');
  });

  test('tells of forged packets and frames, and how far back it was looked', () => {
    const forged = {
      ...summary,
      fullAt: undefined,
      isFull: false,
      unlistedAt: [],
      unlisted: 0,
      spoofed: 1,
      frames: 12,
    };
    const none = { ...report, destinations: [], covers: 720_000 };
    const text = formatDenied(deniedFrom([{ ...none, summary: forged }]), NOW, plain);
    expect(lines(text)).toEqual([
      'web: 1 packet had a forged source address or a source route.',
      'web: 12 frames of packet sockets were denied; their destinations are not known.',
    ]);
    expect(formatDenied(deniedFrom([none]), NOW, plain)).toBe('Nothing was denied in the last 12 minutes.');
    expect(formatDenied(deniedFrom([{ ...none, covers: undefined }]), NOW, plain)).toMatch(
      /^Nothing was denied since the last load, and at most in the last 10 minutes \(more is not known/,
    );
    expect(formatDenied(deniedFrom([{ ...none, error: 'it broke' }]), NOW, plain)).toBe('web: it broke');
    expect(formatDenied(deniedFrom([]), NOW, plain)).toBe(
      'No running container has rules, so nothing is denied.',
    );
  });

  test('shows a hundred rows of a container, of each address first', () => {
    const scan = Array.from({ length: 500 }, (_, port) => ({ address: '10.0.0.1', ...seen, port }));
    const other = { address: '10.0.0.9', ...seen, port: 22, packets: 1 };
    const text = formatDenied(deniedFrom([{ ...report, destinations: [...scan, other] }]), NOW, plain);
    expect(text).toContain('web: 401 more destinations; --json lists all.');
    expect(text).toContain('10.0.0.9');
    expect(lines(text).filter((line) => line.includes('tcp/'))).toHaveLength(100);
  });

  test('status tells it too, of all and of one', () => {
    const [first] = status.namespaces;
    if (first === undefined) throw new Error('no namespace');
    const full = { ...first, target: 'web', denied: { ...summary, spoofed: 2, frames: 1 } };
    const words = '4,904 of 9,003 denied packets are not listed by destination';
    expect(formatStatus({ ...status, namespaces: [full] }, NOW, plain)).toContain(
      `web: the record of denied destinations is full; ${words} (egresstrator denied web)`,
    );
    expect(formatNamespace(full, AUTO, NOW, plain)).toContain(
      `denied       9,003 packets; 2 of them forged; 1 frame; the record is full: ${words}`,
    );
  });

  test('one at a time', () => {
    const [, row] = deniedFrom([report]).rows;
    expect(row && formatOne(row, '12:00:00')).toBe('12:00:00 web 10.0.0.5 tcp/5432 (production.pg, key db)');
  });
});

describe('explain', () => {
  const asked = { container: 'web', grants: ['app', 'gone'], keys: ['app'] };
  const catalog = catalogOf({ pg: [instance('10.0.0.5', 5432, 'production')] });
  const keys = { app: 'production.pg\nstaging.pg\n169.0.0.0/8:tcp', db: '10.0.0.0/8:tcp/80' };
  const say = (traits: object, ...destination: Parameters<typeof to>) =>
    lines(
      formatExplanation(
        asked,
        plainExplanation(
          createExplainer(view(['app', 'gone'], keys, { catalog, ...traits }))(to(...destination)),
        ),
        plain,
      ),
    );

  test('allowed: by which line, and which instance', () => {
    expect(say({}, '10.0.0.5', 'tcp', 5432)).toEqual([
      'web may reach 10.0.0.5 tcp/5432.',
      '  key app line 1: production.pg (instance on node-10.0.0.5)',
    ]);
  });

  test('refused: what stands in the way, and the ways out', () => {
    expect(say({ mode: 'audit' }, '10.0.0.5', 'tcp', 80)).toEqual([
      'web may not reach 10.0.0.5 tcp/80, but it passes in audit mode.',
      '  It asks for the key gone, but Consul does not have it.',
      '  Key app line 2 (staging.pg) names a service without an instance in Consul.',
      '  Key app line 1: production.pg (instance on node-10.0.0.5) allows tcp/5432 there.',
      'To allow it, one of:',
      '  add db to EGRESSTRATOR_ACL of web: its line 1 (10.0.0.0/8:tcp/80) allows it',
      '  put 10.0.0.5:tcp/80 into its key app',
      'EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set web --rules app,db.',
    ]);
  });

  test('where what is loaded may differ, that is said', () => {
    const found = createExplainer(view(['app'], keys, { catalog }))(to('10.0.0.5', 'tcp', 5432));
    const explanation = plainExplanation(found);
    const [, , remark] = lines(formatExplanation({ ...asked, state: 'cleared' }, explanation, plain));
    expect(remark).toBe('But an operator removed its rules (cleared), so everything passes until it stops.');
    const [, , isolated] = lines(formatExplanation({ ...asked, state: 'isolated' }, explanation, plain));
    expect(isolated).toMatch(
      /^But it can reach nothing now \(isolated\), because the rules are older than --max-age/,
    );
  });

  test('a service that Consul has not told is not said to have no instance', () => {
    expect(say({ catalog: catalogOf({}) }, '10.0.0.5', 'tcp', 5432)).toContain(
      '  Key app line 1 (production.pg) names a service that could not be read; see egresstrator lint.',
    );
  });

  test('refused by protection', () => {
    expect(say({}, '169.254.169.254', 'tcp', 80).slice(3)).toEqual([
      '  Key app line 3: 169.0.0.0/8:tcp is too broad to grant 169.254.169.254, which is protected.',
      'To allow it:',
      '  put 169.254.169.254:tcp/80 into its key app',
    ]);
  });

  test('loopback and names', () => {
    expect(say({}, '127.0.0.1', 'tcp', 80)[1]).toBe('  Loopback is always allowed.');
    expect(say({}, '127.0.0.11', 'udp', 53)).toContain('  DNS is denied by EGRESSTRATOR_DNS=none.');
    const dns = { dns: 'resolvers', resolvers: ['10.9.9.9'] };
    expect(say(dns, '10.9.9.9', 'udp', 53)[1]).toContain('It is a DNS resolver of this container');
  });
});

describe('the words of explain', () => {
  test.each([
    ['10.0.0.5', 'tcp/80', 'tcp', 80],
    ['10.0.0.5', '80', 'tcp', 80],
    ['10.0.0.5:80', undefined, 'tcp', 80],
    ['[2001:db8::1]:443', undefined, 'tcp', 443],
    ['2001:db8::1', 'icmp', 'icmp', 128],
    ['10.0.0.5', 'icmp', 'icmp', 8],
  ])('%s %s', (word, traffic, protocol, port) => {
    expect(parseTarget(word, traffic)).toMatchObject({
      kind: 'destinations',
      destinations: [{ protocol, port }],
    });
  });

  test.each([
    ['10.0.0.5', 'tcp'],
    ['10.0.0.5', 'tcp/1-5'],
    ['10.0.0.0/8', 'tcp/80'],
    ['pg', 'tcp/80'],
  ])('refused: %s %s', (word, traffic) =>
    expect(() => parseTarget(word, traffic)).toThrow(/expected|the port of a service/),
  );

  test('a service without instances is told as such', () => {
    const target = parseTarget('production.pg', undefined);
    const look = (catalog: ReturnType<typeof catalogOf>) => () =>
      target.kind === 'service' && instancesOf(target.rule, catalog);
    expect(look(catalogOf({}))).toThrow('service pg not checked: Consul unavailable');
    expect(look(catalogOf({ pg: [] }))).toThrow(
      'Consul has no instance of pg with the tag "production"; if it is a name of DNS, give its port as well',
    );
  });
});

test('suggestions are a text for Consul', () => {
  const snapshot = snapshotOf({
    namespaces: [
      {
        ...{ workloads: ['web'], ids: ['aa'], target: 'web', dns: 'none' },
        grants: ['own', 'gone'],
        mode: 'enforce',
      },
    ],
    keys: { db: '10.0.0.1:tcp/80', own: '' },
    protectedHosts: ['169.254.169.254'],
  });
  const seen = (address: string, port?: number) => ({
    ...{
      address,
      protocol: port === undefined ? '132' : 'tcp',
      port,
      packets: 1,
      firstSeenAt: 0,
      lastSeenAt: 0,
    },
  });
  const destinations = [
    seen('10.0.0.1', 80),
    seen('10.0.0.1', 81),
    seen('169.254.169.254', 80),
    seen('10.0.0.9'),
  ];
  const report: DeniedReport = {
    container: 'web',
    workloads: ['web'],
    mode: 'enforce',
    destinations,
    readAt: 0,
  };
  const { suggestions } = suggestAnswer(undefined, [report], snapshot, catalogIndex(snapshot));
  const text = formatSuggestions(suggestions, false, 'nothing');
  expect(lines(text)).toEqual([
    '# web: 3 denied destinations',
    '# key db (1 rule) allows 1 of them already, by line 1: 10.0.0.1:tcp/80',
    '# to use an existing key, add it to EGRESSTRATOR_ACL instead: EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set web --rules own,db',
    '10.0.0.1:tcp/80-81  # 2 destinations',
    '169.254.169.254:tcp/80  # protected address, such as cloud credentials: check before you allow it',
    '# no rule can express 10.0.0.9 132',
  ]);
  expect(aclOf({ text }).get('text')).toMatchObject({ problems: [], rules: [{ line: 4 }, { line: 5 }] });
});

test('findings are lines as compilers print them', () => {
  const acl = aclOf({ db: '10.0.0.1:tcp/80\n10.0.0.1:tcp/80\nbad/' });
  const findings = lint({ acl, protectedHosts: [], catalog: undefined, workloads: undefined });
  expect(lines(formatFindings(findings, ['pg'], tags)).slice(0, 2)).toEqual([
    'db:2: <dim>info</>: 10.0.0.1:tcp/80: line 1 (10.0.0.1:tcp/80) is equal',
    '  delete the line',
  ]);
  expect(lines(formatFindings(findings, ['pg'], plain)).slice(-2)).toEqual([
    'not checked, because there are too many services: pg',
    '1 error, 0 warnings, 1 info',
  ]);
});

test('differences are told by workload', () => {
  const gained = Array.from({ length: 60 }, (_, index) => ({
    rule: `10.0.0.${index}:tcp/80`,
    partly: index === 0,
  }));
  const diff = {
    problems: [],
    holders: ['a', 'b', 'c'],
    changes: [{ workloads: ['a', 'b'], gained, lost: [] }],
  };
  const text = lines(formatDiff('db', diff, plain));
  expect(text.slice(0, 3)).toEqual(['a and b:', '  + 10.0.0.0:tcp/80  (in part)', '  + 10.0.0.1:tcp/80']);
  expect(text.slice(-3)).toEqual([
    '  + … and 10 more; --json lists all',
    '',
    '3 workloads have db; access of 2 changes. Nothing was written.',
  ]);
});

test.each([
  [undefined, 'never'],
  [NOW + 5, '0s ago'],
  [NOW - 119_000, '119s ago'],
  [NOW - 120_000, '2m ago'],
  [NOW - 7_200_000, '2h ago'],
  [NOW - 172_800_000, '2d ago'],
])('time %s is %s', (then, text) => expect(ago(then, NOW)).toBe(text));

test('a suggestion says how it gets into Consul', () => {
  expect(formatEntry('web', 'app', '/egress/acl/')).toEqual([
    'To add them to its key app:',
    '  egresstrator suggest web --key app > rules',
    '  egresstrator diff app --file rules',
    '  consul kv put egress/acl/app @rules',
  ]);
  expect(formatEntry('web', undefined, 'egress/acl')).toEqual([expect.stringMatching(/^web has no key: /)]);
});

test('the same of ingress keys names their options and their folder', () => {
  expect(formatEntry('web', 'app', '/ingress/acl/', 'ingress')).toEqual([
    'To add them to its ingress key app:',
    '  egresstrator suggest --in web --key app > rules',
    '  egresstrator diff --ingress app --file rules',
    '  consul kv put ingress/acl/app @rules',
  ]);
  expect(formatEntry('web', undefined, 'ingress/acl', 'ingress')).toEqual([
    'web names no ingress key: add the lines to a key, and create the container again with EGRESSTRATOR_INGRESS=<key>',
  ]);
  const diff = { problems: [], holders: ['a', 'b'], changes: [{ workloads: ['a'], gained: [], lost: [] }] };
  expect(lines(formatDiff('db', diff, plain, 'ingress')).at(-1)).toBe(
    '2 containers name db; the callers of 1 change. Nothing was written.',
  );
  const nobody = { ...diff, holders: [], changes: [] };
  expect(formatDiff('db', nobody, plain, 'ingress')).toBe('No running container names db.');
});

test('keys of both directions are listed with those who name them', () => {
  const key = { key: 'web', exists: true, rules: 2, destinations: 3, heldBy: ['app'], problems: [] };
  const unused = { ...key, key: 'old', heldBy: [] };
  expect(lines(formatKeys([key, unused], [], plain, 'ingress'))).toEqual([
    'KEY  RULES  CALLERS  PROBLEMS  NAMED BY',
    'web      2        3         -  app',
    'old      2        3         -  no container here',
  ]);
  expect(lines(formatKeys([unused], [], plain))[1]).toMatch(/no workload here$/);
  expect(formatKeys([], [], plain, 'ingress')).toBe(
    'Consul has no ingress keys, and no container here names one.',
  );
});

test.each([
  '$(touch pasted)',
  '`touch pasted`',
  "it's; touch pasted",
  '"; touch pasted',
  'a b\\',
  '*',
  '~',
  '!!',
])('a command that is pasted into a shell takes %s for a name', (key) => {
  const commands = formatEntry('web', key, 'egress/acl').slice(1);
  expect(commands).toHaveLength(3);
  const tell = 'egresstrator() { printf "%s\\n" "$@"; }; consul() { egresstrator "$@"; }';
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-paste-'));
  const run = (command: string) =>
    execFileSync('bash', ['-c', `${tell}\n${command}`], { cwd: folder, encoding: 'utf8' });
  const [suggestion = '', diff = '', put = ''] = commands;
  expect(run(`${suggestion}; cat rules`).split('\n')).toEqual(['suggest', 'web', '--key', key, '']);
  expect(run(diff).split('\n')).toEqual(['diff', key, '--file', 'rules', '']);
  expect(run(put).split('\n')).toEqual(['kv', 'put', `egress/acl/${key}`, '@rules', '']);
  expect(readdirSync(folder)).toEqual(['rules']);
  rmSync(folder, { recursive: true });
});

test.each(['--consul=evil.example', '-H', 'a\nb', 'a\u001b[2J', 'x'.repeat(100)])(
  'none is made for the key %j',
  (key) => {
    expect(formatEntry('web', key, 'egress/acl')).toEqual([
      expect.stringMatching(/^Its key ".*" has a name that is unsafe on a command line\.$/),
    ]);
  },
);
