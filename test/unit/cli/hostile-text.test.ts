/**
 * What others wrote reaches the operator as text alone: every command is run on a controller, a Consul and an
 * Engine whose every word steers terminals, forges lines and hides itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiServer, type Controls, serveApi } from '../../../src/adapters/api/server.ts';
import { addGate } from '../../../src/cli/commands/gate.ts';
import { createActions } from '../../../src/cli/commands.ts';
import { addCompletion } from '../../../src/cli/completion.ts';
import { printError, type Terminal } from '../../../src/cli/output.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { EngineError } from '../../../src/domain/errors.ts';
import { hostileText } from '../../support/hostile-text.ts';

let folder: string;
let api: ApiServer;
let consul: Server;
let engine: Server;
/** What all the others say in this run. */
let word = 'x';
/** How often refusals are told until the controller fails; `denied --follow` ends by that. */
let answers = Number.POSITIVE_INFINITY;

const problem = () => ({ severity: 'error', key: word, line: 3, text: word, reason: word }) as const;

const controls: Controls = {
  status: () => ({
    controller: { version: word, node: word, loader: word, template: word, startedAt: 1 },
    namespaces: [
      {
        ...{ id: `aa@${word}`, workloads: [word, word], target: word, state: 'failed', grants: [word, word] },
        ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: true, fingerprint: word, verifiedAt: 1 },
        ...{ lastError: word, problems: [problem()] },
      },
    ],
    sources: [{ name: word, known: true, confirmedAt: 1, error: word }],
    recordsRefusals: false,
    refused: [{ name: word, problem: problem() }],
  }),
  ready: () => true,
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  override: async () => ({
    results: [
      { container: word, state: 'failed', error: word, problems: [problem()] },
      { container: word, state: 'protected', problems: [] },
    ],
  }),
  picture: async () => ({
    places: [
      {
        ...{ workloads: [word], ids: ['aa'], target: word, grants: [word, `${word}-unknown`], mode: 'audit' },
        ...{ dns: 'resolvers', state: 'failed', resolvers: [word] },
      },
    ],
    rules: [
      {
        key: word,
        text: `# ${inLine(word)}\n10.0.0.5:tcp/443 # ${inLine(word)}\n${inLine(word)}\nsome.pg\n${inLine(word)}.pg`,
      },
      { key: `${word}-other`, text: '10.0.0.6:tcp/80\r\n\t10.0.0.9:udp/1-9\t# tab' },
    ],
    services: [
      { name: 'pg', instances: [{ address: '10.0.0.5', port: 443, tags: [word, 'some'], node: word }] },
      { name: word, instances: [{ address: '10.0.0.7', port: 80, tags: [word], node: word }] },
    ],
    unread: [word],
    ...{ protectedHosts: [], template: word, kvPath: `${word}/`, denylist: false, recordsRefusals: true },
  }),
  refusals: async () => {
    answers -= 1;
    if (answers < 0) throw new EngineError(word);
    const seen = { packets: 1, firstSeenAt: 1, lastSeenAt: 1 };
    const refusals = [
      { address: '10.0.0.6', protocol: 'tcp', port: 80, ...seen },
      { address: '10.0.0.7', protocol: 'tcp', port: 80, ...seen },
      { address: word, protocol: word, port: undefined, ...seen },
    ];
    const report = { container: word, workloads: [word], mode: 'audit', readAt: 1 } as const;
    return [
      { ...report, refusals },
      { ...report, refusals: [], error: word },
    ];
  },
};

/** A line of a key's text ends where the text's line ends. */
const inLine = (text: string): string => text.replaceAll(/[\n\r]/g, '\u001b');

const bulletin = () =>
  JSON.stringify({
    ...{ version: word, at: 1, running: true, states: { [word]: 2 }, errors: [word] },
    workloads: [{ name: word, state: word, keys: [word] }],
  });

const answerAsConsul: RequestListener = ({ url = '' }, response) => {
  const [, , , ...path] = new URL(url, 'http://consul').pathname.split('/');
  const key = path.map(decodeURIComponent).join('/');
  const entry = (name: string, value: string) => ({
    Key: key + name,
    Value: Buffer.from(value).toString('base64'),
  });
  const entries = key.includes('status') ? [entry(word, bulletin())] : [entry(word, `${inLine(word)}\n`)];
  response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7' });
  response.end(JSON.stringify(entries));
};

const answerAsEngine: RequestListener = (_request, response) => {
  response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: word }));
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-text-'));
  api = await serveApi(join(folder, 'api.sock'), controls);
  consul = createServer(answerAsConsul).listen(0, '127.0.0.1');
  engine = createServer(answerAsEngine).listen(join(folder, 'engine.sock'));
  await Promise.all(
    [consul, engine].map((server) => new Promise((resolve) => server.once('listening', resolve))),
  );
});
afterAll(async () => {
  await api.close();
  for (const server of [consul, engine]) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What there is to uninstall is in this test's folder alone, and no controller answers. */
const apart = (): readonly string[] => [
  ...['--socket', join(folder, 'none.sock'), '--root', folder, '--lib-dir', '/lib'],
  ...['--state-dir', '/state', '--run-dir', '/run', '--node', word],
];

/** How each command is called. The types of `Words` say nothing of which there are: the first test does. */
const CALLS: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
  status: () => [[], [word], ['--cluster'], [`${word}-none`]],
  denied: () => [[], [word], ['--follow']],
  explain: () => [
    ...[
      [word, '10.0.0.5', 'tcp/443'],
      [word, '10.0.0.6', 'tcp/80'],
      [word, '10.0.0.5'],
      [word, 'pg'],
    ],
    ...[
      [word, word],
      [`${word}-none`, 'pg'],
      [word, '10.0.0.9', word],
      [word, 'pg', '--exit-code'],
      [`${word}-none`, 'pg', '--exit-code'],
    ],
  ],
  suggest: () => [[], [word], ['--key', word], ['--key', `${word}-other`]],
  lint: () => [
    [],
    ['--file', join(folder, 'rules')],
    ['--key', word],
    ['--key', `${word}-none`],
    ['--file', word],
    ['--format', word],
    ...['github', 'sarif'].flatMap((format) => [
      ['--format', format],
      ['--format', format, '--file', join(folder, 'rules')],
    ]),
  ],
  diff: () => [[word, '--file', join(folder, 'rules')], [word]],
  set: () => [['--all'], [word], [word, '--rules', word], []],
  clear: () => [['--all'], ['--all', '--yes'], [word]],
  uninstall: () => [
    [],
    ...[[], ['--json'], ['--yes'], ['--yes', '--keys']].map((args) => [...apart(), ...args]),
  ],
  keys: () => [[], ['--socket', `${folder}/none.sock`]],
  doctor: () => [[], [...apart().slice(0, 6)], ['--lib-dir', word], ['--image', word]],
  render: () => [['--acl', word], [word], ['--acl', word, '--template', word]],
  health: () => [[]],
  gate: () => [
    ...[
      ['status', '--root', folder],
      ['status', '--lib-dir', `/${word}`],
      ['install', '--root', `${folder}/${word}`],
    ],
    ...[
      ['uninstall', '--root', `${folder}/${word}`],
      ['status', '--lib-dir', word],
    ],
  ],
  completion: () => [['bash'], ['zsh'], ['fish'], [word]],
};

/** Those that end with the controller only, or need none of these. */
const GENERAL = (): readonly (readonly string[])[] => [
  [`${word}-command`],
  [`--${word}`],
  ['status', `--${word}`],
  ['status', '--concurrency', word, '--mode', word],
  ['status', '--socket', `${folder}/${word}`],
  ['denied', '--socket', `${folder}/${word}`],
  ['lint', '--socket', `${folder}/${word}`],
  ['--listen', word],
];

async function run(
  args: readonly string[],
  colour = true,
): Promise<{ readonly stdout: string; readonly all: string }> {
  let [stdout, all] = ['', ''];
  const write = (isResult: boolean) =>
    new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        all += String(chunk);
        if (isResult) stdout += String(chunk);
        done();
      },
    });
  const environment = {
    EGRESSTRATOR_SOCKET: join(folder, 'api.sock'),
    CONSUL_HTTP_ADDR: `127.0.0.1:${portOf(consul)}`,
    DOCKER_HOST: `unix://${join(folder, 'engine.sock')}`,
  };
  const terminal: Terminal = {
    stdout: Object.assign(write(true), { isTTY: colour }),
    stderr: Object.assign(write(false), { isTTY: colour }),
    environment,
  };
  answers = args.includes('--follow') ? 1 : Number.POSITIVE_INFINITY;
  const program = programFor(terminal);
  await program.parseAsync([...args], { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'CommanderError')) printError(error, terminal);
  });
  return { stdout, all };
}

const portOf = (server: Server): number => {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

function programFor(terminal: Terminal): Command {
  const program = createProgram('0', createActions(terminal));
  addGate(program, terminal);
  addCompletion(program, (text) => terminal.stdout.write(text));
  const errors = { writeErr: (text: string) => void terminal.stderr.write(text) };
  for (const command of program.commands.flatMap((one) => [one, ...one.commands]))
    command.exitOverride().configureOutput(errors);
  return program.exitOverride().configureOutput(errors);
}

const OUR_COLOURS = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|22|31|32|33|39)m`, 'g');

/** What a terminal would obey or hide, and lines that others began. */
function strayIn(output: string): readonly string[] {
  const text = output.replaceAll(OUR_COLOURS, '');
  const controls = [...text.matchAll(/[\p{C}\p{Zl}\p{Zp}]/gu)]
    .map(([one]) => one)
    .filter((one) => one !== '\n');
  return [...controls, ...text.split('\n').filter((line) => /^(?:egresstrator: )?EVIL/.test(line))];
}

test('each command there is is tried', () => {
  const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr, environment: {} };
  expect(Object.keys(CALLS).sort()).toEqual(
    programFor(terminal)
      .commands.map((one) => one.name())
      .sort(),
  );
});

const allCalls = (): readonly (readonly string[])[] => [
  ...Object.entries(CALLS).flatMap(([name, calls]) => calls().map((args) => [name, ...args])),
  ...GENERAL(),
];

async function tryAll(text: string, follow: boolean): Promise<void> {
  word = text;
  writeFileSync(join(folder, 'rules'), `# ${text}\n10.0.0.5:tcp/443 # ${text}\n${text}\n`);
  mkdirSync(join(folder, 'state'), { recursive: true });
  writeFileSync(join(folder, 'state', `x${text.replaceAll(/[/\0]/g, '_').slice(0, 50)}`), '');
  for (const args of allCalls()) {
    if (args.includes('--follow') && !follow) continue;
    const { all } = await run(args);
    expect({ args, all, stray: strayIn(all) }).toMatchObject({ stray: [] });
    expect({ args, all }).not.toMatchObject({ all: expect.stringContaining('defect') });
  }
}

test('nothing that others wrote steers a terminal, forges a line or hides', async () => {
  const worst =
    'x\u001b[2J\u001b]0;title\u0007\nEVIL\r\nEVIL\u2028EVIL\u0085EVIL\u009b31m\u202ebidi\u200b\ufeff\u007f\ud800\u{e0041}';
  await tryAll(worst, true);
  await fc.assert(
    fc.asyncProperty(hostileText, (text) => tryAll(text, false)),
    { numRuns: 12 },
  );
}, 120_000);

test('with --json the same texts come whole, and nothing else than text either', async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, async (text) => {
      word = text.replaceAll(/\p{Cs}/gu, '');
      const { stdout } = await run(['status', '--json'], false);
      expect(strayIn(stdout)).toEqual([]);
      expect(JSON.parse(stdout)).toMatchObject({ refused: [{ name: word }] });
      for (const name of ['denied', 'suggest', 'lint', 'set'])
        expect(
          strayIn((await run([name, ...(name === 'set' ? ['--all'] : []), '--json'], false)).stdout),
        ).toEqual([]);
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('a key that is printed for Consul holds the same rules as before', async () => {
  word = 'x\u001b';
  const { stdout } = await run(['suggest', '--key', `${word}-other`], false);
  expect(stdout.split('\n').slice(0, 2)).toEqual(['10.0.0.6:tcp/80', ' 10.0.0.9:udp/1-9 # tab']);
});
