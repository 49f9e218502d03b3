/**
 * A controller, a Consul and an Engine that answer with one text in every field.
 */
import type { RequestListener } from 'node:http';
import { EngineError } from '../../src/common/errors.ts';
import type { Controls } from '../../src/daemon/api/server.ts';
import type { Status } from '../../src/daemon/status.ts';
import type { DeniedCallsReport } from '../../src/diagnostics/denied-in.ts';
import type { HostView } from '../../src/diagnostics/host-view.ts';
import type { IngressSnapshot } from '../../src/diagnostics/ingress-snapshot.ts';
import type { NamespaceStatus } from '../../src/features/egress/status.ts';
import type { IngressView } from '../../src/features/ingress/view.ts';
import type { DeniedReport } from '../../src/inventory/denied-record.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { NO_NAMES } from '../../src/policy/compile-names.ts';
import { byId, container } from './containers.ts';
import { prefix as host } from './host-claims.ts';
import { diagnosticsOf, type SnapshotInput } from './snapshot.ts';

export interface HostileAnswers {
  word: string;
  /** The number of answers until the controller fails, which ends `denied --follow`. */
  answers: number;
}

const problem = (word: string) =>
  ({ severity: 'error', key: word, line: 3, text: word, reason: word }) as const;

const namespace = (word: string): NamespaceStatus => ({
  ...{ id: `aa@${word}`, workloads: [word, word], target: word, state: 'failed', grants: [word, word] },
  ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: true, fingerprint: word, verifiedAt: 1 },
  ...{ lastError: word, problems: [problem(word)] },
});

const entry = (word: string) => ({ path: word, text: word, state: 'failed', reason: word }) as const;

const networks = (word: string): NonNullable<Status['networks']> => ({
  ...{ path: word, readAt: 1, error: word, networks: [entry(word)], attachments: [entry(word)] },
  ...{ policies: [entry(word)], routes: [entry(word)], failing: [{ name: word, reason: word, retryAt: 2 }] },
});

export const hostileControls = (hostile: HostileAnswers): Controls => ({
  status: () => ({
    controller: {
      version: hostile.word,
      node: hostile.word,
      loader: hostile.word,
      template: hostile.word,
      startedAt: 1,
    },
    namespaces: [namespace(hostile.word)],
    sources: [{ name: hostile.word, known: true, confirmedAt: 1, error: hostile.word }],
    recordsDenied: false,
    host: {
      ...{
        state: 'failed',
        openings: 1,
        closed: 1,
        permits: 0,
        forwards: 1,
        problems: [problem(hostile.word)],
      },
      ...{ fingerprint: hostile.word, verifiedAt: 1, lastError: hostile.word },
    },
    networks: networks(hostile.word),
    unsupported: [{ name: hostile.word, problem: problem(hostile.word) }],
  }),
  ready: () => true,
  unreadable: () => [hostile.word],
  networksErrors: () => 1,
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  override: async () => ({
    results: [
      { container: hostile.word, state: 'failed', error: hostile.word, problems: [problem(hostile.word)] },
      { container: hostile.word, state: 'protected', problems: [] },
    ],
  }),
  setPort: async ({ protocol, port }) => ({
    ...{ container: hostile.word, protocol, port, state: 'loaded' },
    openings: [
      {
        ...{ container: hostile.word, address: hostile.word, protocol, port },
        from: [hostile.word],
        origin: hostile.word,
      },
    ],
  }),
  sources: () => ({
    consul: hostile.word,
    kvPath: hostile.word,
    ingressPath: hostile.word,
    docker: hostile.word,
  }),
  namespace: () => ({ namespace: namespace(hostile.word), loader: hostile.word, recordsDenied: false }),
  diagnostics: diagnosticsOf(
    () => hostileSnapshot(hostile.word),
    () => hostileDenied(hostile),
    () => hostileHost(hostile.word),
    () => hostileCalls(hostile.word),
    () => hostileIngress(hostile.word),
  ),
});

const hostileSnapshot = (word: string): SnapshotInput => ({
  namespaces: [
    {
      ...{ workloads: [word], ids: ['aa'], target: word, grants: [word, `${word}-unknown`], mode: 'audit' },
      ...{ dns: 'resolvers', state: 'failed', resolvers: [word] },
    },
  ],
  keys: {
    [word]: `# ${inLine(word)}\n10.0.0.5:tcp/443 # ${inLine(word)}\n${inLine(word)}\nsome.pg\n${inLine(word)}.pg`,
    [`${word}-other`]: '10.0.0.6:tcp/80\r\n\t10.0.0.9:udp/1-9\t# tab',
  },
  services: {
    pg: [{ address: '10.0.0.5', port: 443, tags: [word, 'some'], node: word }],
    [word]: [{ address: '10.0.0.7', port: 80, tags: [word], node: word }],
  },
  ...{ unread: [word], template: word, kvPath: `${word}/`, ingressPath: `${word}/` },
  ingress: hostileKeys(word),
});

function hostileDenied(hostile: HostileAnswers): readonly DeniedReport[] {
  hostile.answers -= 1;
  if (hostile.answers < 0) throw new EngineError(hostile.word);
  const seen = { packets: 1, firstSeenAt: 1, lastSeenAt: 1 };
  const destinations = [
    { address: '10.0.0.6', protocol: 'tcp', port: 80, ...seen },
    { address: '10.0.0.7', protocol: 'tcp', port: 80, ...seen },
    { address: hostile.word, protocol: hostile.word, port: undefined, ...seen },
  ];
  const report = { container: hostile.word, workloads: [hostile.word], mode: 'audit', readAt: 1 } as const;
  return [
    { ...report, destinations },
    { ...report, destinations: [], error: hostile.word },
  ];
}

const hostileIngress = (word: string): readonly IngressView[] => [
  {
    ...{ ids: ['aa'], target: word, keys: [word], mode: 'audit', state: 'failed' },
    policy: { reasons: [], ruleSet: { layers: [] }, names: NO_NAMES, problems: [problem(word)], pending: [] },
  },
];

/** Keys of the same names as ACL keys; the containers that name them, and call. */
const hostileKeys = (word: string): IngressSnapshot => {
  const texts = {
    [word]: `${inLine(word)}.pg:tcp/1\n10.0.0.8:tcp/80 # ${inLine(word)}\n${inLine(word)}\nnone:tcp`,
    [`${word}-in`]: `10.0.0.9:udp/1-9\t# tab ${inLine(word)}\r\n0.0.0.0/0:tcp`,
  };
  const app = hostileContainer(word);
  const subnets = [{ prefix: host('10.0.0.0/24'), gateway: host('10.0.0.3') }];
  const network = { id: 'n', name: word, driver: 'bridge', bridge: word, isInternal: false, options: {} };
  return {
    acl: parseAcl(new Map(Object.entries(texts)), new Map(), 'ingress'),
    workloads: [{ name: word, grants: [word, `${word}-unknown`] }],
    containers: [app],
    neighbours: {
      ...{ node: word, containers: byId(app) },
      networks: new Map([['n', { ...network, subnets }]]),
    },
  };
};

const hostileCalls = (word: string): DeniedCallsReport => ({
  calls: [
    {
      ...{ gate: 'ingress', source: '10.0.0.7', address: word, container: word, protocol: 'tcp', port: 80 },
      ...{ packets: 1, passed: true, firstSeenAt: 1, lastSeenAt: 1 },
    },
    // A service, a container of this host, and a gateway.
    ...['10.0.0.6', '10.0.0.5', '10.0.0.3'].map((source) => ({
      ...({ gate: 'ingress', source, address: word, container: word, protocol: 'icmp', port: 8 } as const),
      ...{ packets: 1, firstSeenAt: 1, lastSeenAt: 1 },
    })),
    {
      ...{ gate: 'ingress', source: word, address: word, container: word, protocol: word, port: undefined },
      ...{ packets: 1, firstSeenAt: 1, lastSeenAt: 1 },
    },
    {
      ...{ source: word, address: word, container: word, protocol: word, port: undefined },
      ...{ packets: 1, firstSeenAt: 1, lastSeenAt: 1 },
    },
  ],
  ...{ packets: 3, unlisted: 2, isFull: true, covers: 60_000, error: word },
});

const hostileHost = (word: string): HostView => ({
  ...{ state: 'failed', guard: { mode: 'observe', families: [4, 6], isBetween: true } },
  ...{ fingerprint: word, verifiedAt: 1, lastError: word, problems: [problem(word)] },
  rules: {
    ...{ guard: undefined, proxied: [], permits: [] },
    bridges: [{ name: word, subnets: [host('10.0.0.5')], isGuarded: true, masqueraded: [] }],
    openings: [
      {
        to: host('10.0.0.5'),
        protocol: 'tcp',
        port: 443,
        from: 'anyone',
        origin: { text: word, since: word },
      },
    ],
    forwards: [
      {
        ...{
          at: { kind: 'device', name: word },
          protocol: 'tcp',
          port: 8080,
          to: host('10.0.0.5'),
          toPort: 443,
        },
        origin: { text: word, since: word },
      },
    ],
  },
  // A text of rules may hold tabs, which lines of a text keep.
  rendered: { fingerprint: word, text: `# ${inLine(word).replaceAll('\t', ' ')}` },
  byHand: new Map([[`aa@${word}`, [{ kind: 'open', protocol: 'tcp', port: 443, from: 'anyone', since: 1 }]]]),
  unread: [word],
  passages: {
    passages: [{ tool: word, chain: word, state: 'moved' }],
    ...{ dropping: [word], lacking: [word], failing: [word] },
  },
  containers: [hostileContainer(word)],
});

const hostileContainer = (word: string) =>
  container('aa', {
    ...{ name: word, startedAt: word },
    networks: [{ id: word, name: word, endpoint: word, ipv4: host('10.0.0.5'), ipv6: undefined }],
    ports: [{ host: host('::/0'), hostPort: 80, protocol: 'tcp', containerPort: 80 }],
  });

/** A line of a key's text ends where the text's line ends. */
const inLine = (text: string): string => text.replaceAll(/[\n\r]/g, '\u001b');

const hostStatus = (word: string) =>
  JSON.stringify({
    ...{ version: word, at: 1, running: true, states: { [word]: 2 }, errors: [word] },
    workloads: [{ name: word, state: word, keys: [word] }],
  });

export const hostileConsul =
  (hostile: HostileAnswers): RequestListener =>
  ({ url = '' }, response) => {
    const [, , , ...path] = new URL(url, 'http://consul').pathname.split('/');
    const key = path.map(decodeURIComponent).join('/');
    const entry = (name: string, value: string) => ({
      Key: key + name,
      Value: Buffer.from(value).toString('base64'),
    });
    const entries = key.includes('status')
      ? [entry(hostile.word, hostStatus(hostile.word))]
      : [entry(hostile.word, `${inLine(hostile.word)}\n`)];
    const rights = [{ Resource: hostile.word, Segment: hostile.word, Allow: true }];
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7' });
    response.end(JSON.stringify(url.includes('/authorize') ? rights : entries));
  };

export const hostileEngine =
  (hostile: HostileAnswers): RequestListener =>
  (_request, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: hostile.word }));
  };
