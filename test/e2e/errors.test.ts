/**
 * What a user gets wrong ends in one sentence that names it and what to do, an exit code (1 failed, 2
 * wrong usage), and no stack trace.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { type CliResult, packageVersion, runCli } from '../support/egresstrator.ts';
import { type Fixture, openFixture, putKey } from '../support/fixture.ts';
import { type Workload, Workloads } from '../support/workloads.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-errors-'));
let fixture: Fixture;
let workload: Workload;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  workload = await fixture.workloads.run('errors', { acl: 'db' });
  await putKey(fixture, 'err/db', '10.0.0.0/8:tcp/80');
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const engineFlag = () => ['-H', `unix://${fixture.engine.socketPath}`];
const consulFlags = () => ['-c', fixture.consul.address, '-k', 'err/'];
const own = ['--socket', join(folder, 'api.sock'), '--state-dir', 'none', '--run-dir', 'none'];
const all = () => [...engineFlag(), ...consulFlags(), ...own];

/** One sentence for people, and nothing of how the program is made. */
function expectSentence(result: CliResult, code: 1 | 2, ...parts: readonly (string | RegExp)[]): void {
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr.split('\n')).toHaveLength(1);
  expect(result.stderr).toMatch(/^egresstrator: /);
  expect(result.stderr).not.toMatch(/\.ts:\d|\.js:\d|node:|defect/);
  for (const part of parts) expect(result.stderr).toMatch(part);
}

describe('usage', () => {
  test.each([
    [['set'], 'give either a container or --all'],
    [['set', 'web', '--all'], 'give either a container or --all'],
    [['clear'], 'give either a container or --all'],
    [['render'], 'give either a container or --acl key1,key2'],
    [['render', 'web', '--acl', 'db'], 'give either a container or --acl key1,key2'],
    [['sett', 'web'], 'there is no command "sett"; did you mean set?'],
    [['nonsense'], 'the first argument is not a command; see egresstrator --help'],
    [['-kv-paht=P'], '"-k…" is not an option; did you mean --kv-path?'],
    [['-tSECRET'], '"-t…" is not an option; -t takes its value as a separate argument: -t <token>'],
  ])('%j', async (args, sentence) => {
    expectSentence(await runCli(args), 2, sentence);
  });

  test.each([
    [['--nonsense'], "unknown option '--nonsense'"],
    [['set', 'web', '--rulez', 'db'], "unknown option '--rulez'"],
    [['--consul'], "option '-c, --consul <address>' argument missing"],
  ])('%j points to the help', async (args, sentence) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(`egresstrator: ${sentence}`);
    expect(stderr.split('\n').at(-1)).toBe('(see egresstrator --help)');
  });

  test('all bad values are told at once, each by the name it was given under', async () => {
    const flags = ['--concurrency', '0', '--mode', 'strict', '--protect', 'everything'];
    const { code, stderr } = await runCli(flags, {
      EGRESSTRATOR_LOADER: 'magic',
      EGRESSTRATOR_LOG_LEVEL: 'loud',
    });
    expect(code).toBe(2);
    const places = stderr.split('\n').map((line) => /^egresstrator: ([\w-]+): /.exec(line)?.[1]);
    expect(places.sort()).toEqual(
      ['--concurrency', '--mode', '--protect', 'EGRESSTRATOR_LOADER', 'EGRESSTRATOR_LOG_LEVEL'].sort(),
    );
  });
});

describe('the Engine', () => {
  test('that is not there', async () => {
    const missing = `unix://${join(folder, 'no-engine.sock')}`;
    for (const command of [[], ['set', 'web'], ['clear', '--all', '--yes'], ['render', 'web']]) {
      const result = await runCli([...command, '-H', missing, ...consulFlags(), ...own]);
      expectSentence(result, 1, missing, 'start the Engine, mount its socket, or set DOCKER_HOST');
    }
  });

  test('at an address that is none, or where nothing answers', async () => {
    const odd = await runCli(['set', 'web', '-H', 'ftp://engine', ...own]);
    expectSentence(odd, 1, 'ftp://engine', 'expected unix:///path/to/docker.sock or tcp://host:port');
    const dead = await runCli(['set', 'web', ...own], { DOCKER_HOST: 'tcp://127.0.0.1:1' });
    expectSentence(
      dead,
      1,
      'Nothing answers at tcp://127.0.0.1:1',
      'start the Docker Engine, or set DOCKER_HOST',
    );
  });
});

describe('Consul', () => {
  let closed: Consul;
  beforeAll(async () => {
    closed = await startConsul({ acl: true, tls: true });
  });
  afterAll(() => closed?.stop());

  test('that is not there', async () => {
    const nowhere = [...engineFlag(), '-c', '127.0.0.1:1', ...own];
    for (const command of [
      ['set', workload.name],
      ['render', '--acl', 'db'],
    ]) {
      const result = await runCli([...command, ...nowhere]);
      expectSentence(result, 1, 'Consul at 127.0.0.1:1 refuses the connection', 'start Consul there');
    }
  });

  test('with a wrong token, which is not repeated', async () => {
    const token = '11111111-2222-3333-4444-555555555555';
    const ca = closed.certificates?.caFile ?? '';
    const flags = ['-c', closed.address, '--ssl-ca-cert', ca, '-t', token];
    const result = await runCli(['render', '--acl', 'db', ...flags]);
    expectSentence(result, 1, 'answered 403', 'give a valid token', '--consul-token');
    expect(result.stderr).not.toContain(token);
  });

  test('with a token file or a CA that cannot be read, or is none', async () => {
    const missing = join(folder, 'missing');
    const token = await runCli([
      'render',
      '--acl',
      'db',
      '-c',
      closed.address,
      '--consul-token-file',
      missing,
    ]);
    expectSentence(token, 1, missing, '--consul-token-file');
    const flags = ['-c', closed.address, '--ssl-ca-cert'];
    expectSentence(await runCli(['render', '--acl', 'db', ...flags, missing]), 1, missing, '--ssl-ca-cert');
    const text = join(folder, 'ca.pem');
    writeFileSync(text, 'not a certificate');
    expectSentence(await runCli(['render', '--acl', 'db', ...flags, text]), 1, text, '--ssl-ca-cert');
  });

  test('with a certificate that is not trusted, or spoken to without TLS', async () => {
    const untrusted = await runCli(['render', '--acl', 'db', '-c', closed.address]);
    expectSentence(untrusted, 1, 'an unknown authority', '--ssl-ca-cert');
    const plain = await runCli(['render', '--acl', 'db', '-c', closed.address.replace('https', 'http')]);
    expectSentence(plain, 1, 'speaks only TLS', '--ssl');
  });
});

describe('a template', () => {
  const file = join(folder, 'own.hbs');
  const withTemplate = (text: string, ...command: readonly string[]) => {
    writeFileSync(file, text);
    return runCli([...command, ...all(), '-f', file, '--loader', 'nsenter']);
  };

  test('that is not there', async () => {
    for (const command of [[], ['set', workload.name], ['render', '--acl', 'db']]) {
      const result = await runCli([...command, ...all(), '-f', join(folder, 'none.hbs')]);
      expectSentence(result, 1, join(folder, 'none.hbs'), 'cannot be read');
    }
    expectSentence(
      await runCli([...all(), '-f', 'nftable']),
      1,
      'there is no template "nftable"',
      'nftables',
    );
  });

  test('that does not compile: file, line and reason', async () => {
    const broken = await withTemplate('# {{comment}}\n\n{{#each allowed.ipv4}}\n');
    expectSentence(broken, 1, `template ${file}, line`, 'Handlebars cannot read');
    const misspelt = await withTemplate('# {{comment}}\n{{#if adit}}x{{/if}}\n', 'set', workload.name);
    expectSentence(misspelt, 1, `template ${file}, line 2: the context has no "adit" here`);
    const nameless = await withTemplate('table inet x {}\n', 'render', '--acl', 'db');
    expectSentence(nameless, 1, `template ${file} does not write {{comment}}`);
  });

  test('that renders, but does not load, ends the start with the reason', async () => {
    const started = await withTemplate(
      'table inet egresstrator_egress { comment "{{comment}}"; chian output {} }\n',
    );
    expectSentence(started, 1, `template ${file} renders, but does not load:`, 'chian');
  });
});

describe('a container', () => {
  test('that does not run', async () => {
    for (const command of ['set', 'clear', 'render']) {
      const result = await runCli([command, 'nobody', ...all()]);
      expectSentence(result, 1, 'there is no running container "nobody"; "docker ps" lists those that run');
    }
  });

  test('whose id begins as that of another', async () => {
    const byFirst = new Map<string, Workload[]>();
    let twins: Workload[] = [];
    for (let count = 0; twins.length < 2; count++) {
      const next = await fixture.workloads.run(`twin-${count}`);
      twins = [...(byFirst.get(next.id.slice(0, 1)) ?? []), next];
      byFirst.set(next.id.slice(0, 1), twins);
    }
    const result = await runCli(['set', twins[0]?.id.slice(0, 1) ?? '', '--rules', 'db', ...all()]);
    expectSentence(result, 1, 'give more of the id, or the name', ...twins.map(({ name }) => name));
  });

  test('in the network of the host; with none it gets rules, as one may come', async () => {
    const [host, none] = await Promise.all([
      fixture.workloads.run('host', { acl: 'db', network: 'host' }),
      fixture.workloads.run('none', { acl: 'db', network: 'none' }),
    ]);
    expectSentence(await runCli(['set', host.name, ...all()]), 1, host.name, '--network host');
    expect(await runCli(['set', none.name, ...all()])).toMatchObject({ code: 0, stderr: '' });
    await fixture.workloads.remove(host, none);
  });
});

describe('the helper image', () => {
  let empty: OwnEngine;
  beforeAll(async () => {
    empty = await startEngine({ version: '28.5', name: `errors-${process.pid}`, diesWithParent: true });
  });
  afterAll(() => empty?.remove());

  test('that was never built', async () => {
    const image = `egresstrator-helper:${packageVersion()}`;
    const host = ['-H', `unix://${empty.socketPath}`];
    const start = await runCli([...host, ...consulFlags(), ...own, '--loader', 'helper']);
    expectSentence(
      start,
      1,
      `no helper image ${image}`,
      `docker build --target helper -t ${image} .`,
      '--image',
    );
    const workloads = await Workloads.on(empty);
    const { name } = await workloads.run('alone', { acl: 'db' });
    const set = await runCli(['set', name, ...host, ...consulFlags(), ...own, '--loader', 'helper']);
    expect(set.code).toBe(1);
    expect(set.stdout + set.stderr).toContain(`docker build --target helper -t ${image} .`);
    await workloads[Symbol.asyncDispose]();
  });

  test('that cannot be pulled', async () => {
    // A registry on the Engine's own loopback, where nothing listens.
    const image = '127.0.0.1:1/helper:none';
    const start = await runCli([...all(), '--loader', 'helper', '-i', image]);
    expectSentence(
      start,
      1,
      `no helper image ${image} and cannot pull it`,
      `docker build --target helper -t ${image} .`,
    );
  });
});
