/**
 * A controller, a Consul and an Engine that say one word wherever they say anything.
 */
import type { RequestListener } from 'node:http';
import { EngineError } from '../../src/common/errors.ts';
import type { Controls } from '../../src/daemon/api/server.ts';

export interface Said {
  word: string;
  /** How often refusals are told until the controller fails; `denied --follow` ends by that. */
  answers: number;
}

const problem = (word: string) =>
  ({ severity: 'error', key: word, line: 3, text: word, reason: word }) as const;

export const controlsSaying = (said: Said): Controls => ({
  status: () => ({
    controller: { version: said.word, node: said.word, loader: said.word, template: said.word, startedAt: 1 },
    namespaces: [
      {
        ...{
          id: `aa@${said.word}`,
          workloads: [said.word, said.word],
          target: said.word,
          state: 'failed',
          grants: [said.word, said.word],
        },
        ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: true, fingerprint: said.word, verifiedAt: 1 },
        ...{ lastError: said.word, problems: [problem(said.word)] },
      },
    ],
    sources: [{ name: said.word, known: true, confirmedAt: 1, error: said.word }],
    recordsDenied: false,
    refused: [{ name: said.word, problem: problem(said.word) }],
  }),
  ready: () => true,
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  override: async () => ({
    results: [
      { container: said.word, state: 'failed', error: said.word, problems: [problem(said.word)] },
      { container: said.word, state: 'protected', problems: [] },
    ],
  }),
  snapshot: async () => ({
    places: [
      {
        ...{
          workloads: [said.word],
          ids: ['aa'],
          target: said.word,
          grants: [said.word, `${said.word}-unknown`],
          mode: 'audit',
        },
        ...{ dns: 'resolvers', state: 'failed', resolvers: [said.word] },
      },
    ],
    rules: [
      {
        key: said.word,
        text: `# ${inLine(said.word)}\n10.0.0.5:tcp/443 # ${inLine(said.word)}\n${inLine(said.word)}\nsome.pg\n${inLine(said.word)}.pg`,
      },
      { key: `${said.word}-other`, text: '10.0.0.6:tcp/80\r\n\t10.0.0.9:udp/1-9\t# tab' },
    ],
    services: [
      {
        name: 'pg',
        instances: [{ address: '10.0.0.5', port: 443, tags: [said.word, 'some'], node: said.word }],
      },
      { name: said.word, instances: [{ address: '10.0.0.7', port: 80, tags: [said.word], node: said.word }] },
    ],
    unread: [said.word],
    ...{
      protectedHosts: [],
      template: said.word,
      kvPath: `${said.word}/`,
      denylist: false,
      recordsDenied: true,
    },
  }),
  denied: async () => {
    said.answers -= 1;
    if (said.answers < 0) throw new EngineError(said.word);
    const seen = { packets: 1, firstSeenAt: 1, lastSeenAt: 1 };
    const refusals = [
      { address: '10.0.0.6', protocol: 'tcp', port: 80, ...seen },
      { address: '10.0.0.7', protocol: 'tcp', port: 80, ...seen },
      { address: said.word, protocol: said.word, port: undefined, ...seen },
    ];
    const report = { container: said.word, workloads: [said.word], mode: 'audit', readAt: 1 } as const;
    return [
      { ...report, refusals },
      { ...report, refusals: [], error: said.word },
    ];
  },
});

/** A line of a key's text ends where the text's line ends. */
const inLine = (text: string): string => text.replaceAll(/[\n\r]/g, '\u001b');

const hostStatus = (word: string) =>
  JSON.stringify({
    ...{ version: word, at: 1, running: true, states: { [word]: 2 }, errors: [word] },
    workloads: [{ name: word, state: word, keys: [word] }],
  });

export const consulSaying =
  (said: Said): RequestListener =>
  ({ url = '' }, response) => {
    const [, , , ...path] = new URL(url, 'http://consul').pathname.split('/');
    const key = path.map(decodeURIComponent).join('/');
    const entry = (name: string, value: string) => ({
      Key: key + name,
      Value: Buffer.from(value).toString('base64'),
    });
    const entries = key.includes('status')
      ? [entry(said.word, hostStatus(said.word))]
      : [entry(said.word, `${inLine(said.word)}\n`)];
    const rights = [{ Resource: said.word, Segment: said.word, Allow: true }];
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7' });
    response.end(JSON.stringify(url.includes('/authorize') ? rights : entries));
  };

export const engineSaying =
  (said: Said): RequestListener =>
  (_request, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: said.word }));
  };
