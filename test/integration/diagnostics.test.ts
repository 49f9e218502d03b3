/**
 * The commands that answer, against a real controller, Engine and Consul: from "my container cannot
 * reach X" to the right line in Consul in two commands.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../lab/ports.ts';
import { waitFor } from '../../lab/wait.ts';
import { ApiClient } from '../../src/daemon/api/client.ts';
import { askController } from '../../src/daemon/api/diagnostics-client.ts';
import { StatusReply } from '../../src/daemon/api/schema.ts';
import { type CliResult, type RunningController, runCli } from '../support/egresstrator.ts';
import { becomes, control, type Fixture, ipv4, openFixture, putKey, register } from '../support/fixture.ts';
import { connects, reach, type Workload } from '../support/workloads.ts';

const PATH = 'diagnostics/';
const cliPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Where the controller serves its metrics. */
let listen: string;
let fixture: Fixture;
let controller: RunningController;
let web: Workload;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  listen = `127.0.0.1:${await freePorts(1)}`;
  await putKey(fixture, `${PATH}app`, '# nothing yet');
  await putKey(fixture, `${PATH}shop`, `${ipv4(fixture.other)}:tcp/80`);
  await register(fixture, {
    node: 'node-1',
    service: 'shop',
    tags: ['production'],
    address: ipv4(fixture.server),
    port: 80,
  });
  controller = await control(fixture, PATH, args());
  web = await fixture.workloads.run('web', { acl: 'app, missing' });
  await controller.logged(
    ({ msg, container }) => msg === 'rules loaded' && container === web.name,
    'rules loaded',
  );
});

afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
});

const args = () => ['--loader', 'nsenter', '--listen', listen, '--denied-interval', '1'];

const common = (socket: string) => [
  ...['--socket', socket, '--docker-host', `unix://${fixture.engine.socketPath}`],
  ...['-c', fixture.consul.address, '-k', PATH, '-i', fixture.image],
];
const ask = (...args: readonly string[]): Promise<CliResult> =>
  runCli([...args, ...common(controller.socket)]);
/** Without a controller. */
const alone = (...args: readonly string[]): Promise<CliResult> =>
  runCli([...args, ...common('/run/no-controller.sock')]);

const file = (text: string): string => {
  const path = join(controller.folder, 'rules');
  writeFileSync(path, text);
  return path;
};

const metrics = async (): Promise<string> => (await fetch(`http://${listen}/metrics`)).text();

describe('a container that cannot reach a service', () => {
  test('finds the line that it needs in two commands', async () => {
    expect(await connects(web, ipv4(fixture.server), 80)).toBe('refused');
    expect(await connects(web, ipv4(fixture.other), 80)).toBe('refused');
    const denied = await ask('denied', web.name);
    expect(denied).toMatchObject({ code: 0, stderr: '' });
    expect(denied.stdout).toMatch(new RegExp(`${ipv4(fixture.server)} +tcp/80 .* shop +-`));
    expect(denied.stdout).toMatch(new RegExp(`${ipv4(fixture.other)} +tcp/80 .* - +shop`));
    const suggested = await ask('suggest', web.name);
    expect(suggested.stdout.split('\n')).toEqual([
      `# ${web.name}: 2 denied destinations`,
      `# key shop (1 rule) allows 1 of them already, by line 1: ${ipv4(fixture.other)}:tcp/80`,
      `# to use an existing key, add it to EGRESSTRATOR_ACL instead: EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set ${web.name} --rules app,shop`,
      'shop',
      `${ipv4(fixture.other)}:tcp/80`,
    ]);
    const whole = await ask('suggest', web.name, '--key', 'app');
    expect(whole.stdout).toBe(`# nothing yet\nshop\n${ipv4(fixture.other)}:tcp/80`);
    await putKey(fixture, `${PATH}app`, whole.stdout);
    await becomes(web, ipv4(fixture.server), 80, 'ok');
    expect(await connects(web, ipv4(fixture.other), 80)).toBe('ok');
  });

  test('is told why it may, with and without a controller', async () => {
    for (const run of [ask, alone]) {
      const { stdout, code } = await run('explain', web.name, 'shop');
      expect(code).toBe(0);
      expect(stdout).toBe(
        `${web.name} may reach ${ipv4(fixture.server)} tcp/80.\n  key app line 2: shop (instance on node-1)`,
      );
    }
  });

  test('is told what is missing', async () => {
    const { stdout } = await ask('explain', web.name, ipv4(fixture.server), 'tcp/81');
    expect(stdout.split('\n')).toEqual([
      `${web.name} may not reach ${ipv4(fixture.server)} tcp/81.`,
      '  It asks for the key missing, but Consul does not have it.',
      '  Key app line 2: shop (instance on node-1) allows tcp/80 there.',
      'To allow it:',
      `  put ${ipv4(fixture.server)}:tcp/81 into its key app`,
    ]);
  });

  test('is explained as the kernel decides', async () => {
    const targets = [fixture.server, fixture.other].flatMap((one) =>
      [80, 81].map((port) => [ipv4(one), port] as const),
    );
    for (const [address, port] of targets) {
      const { stdout } = await ask('explain', web.name, address, `tcp/${port}`, '--json');
      const explained: { explanations: { allowed: boolean }[] } = JSON.parse(stdout);
      const outcome = await connects(web, address, port);
      expect([address, port, explained.explanations[0]?.allowed]).toEqual([address, port, outcome === 'ok']);
    }
  });
});

test('random rules are explained as the kernel decides', async () => {
  const hosts = [fixture.server, fixture.other].map((one) => ipv4(one));
  const prefixes = [...hosts, `${hosts[0]}/31`, `${hosts[0]}/24`, '10.0.0.0/8', '10.255.0.0/16'];
  const rule = fc
    .tuple(
      fc.constantFrom(...prefixes),
      fc.constantFrom('tcp', 'udp'),
      fc.constantFrom('', '/80', '/81', '/1-80', '/81-90'),
    )
    .map(([prefix, protocol, ports]) => `${prefix}:${protocol}${ports}`);
  const destinations = hosts.flatMap((address) =>
    [80, 81].flatMap((port) => (['tcp', 'udp'] as const).map((protocol) => ({ address, port, protocol }))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(rule, fc.constant('shop')), { maxLength: 4 }), async (rules) => {
      const from = controller.log.length;
      await putKey(fixture, `${PATH}random`, ...rules);
      const diagnostics = askController(new ApiClient(controller.socket));
      const text = rules.join('\n');
      const isRead = async () => (await diagnostics.suggest({ key: 'random' })).keyText === text;
      await waitFor(isRead, { what: 'the rules to be read', timeout: 60_000, interval: 50 });
      const workload = await fixture.workloads.run(`random-${from}`, { acl: 'random' });
      const isLoaded = (line: { readonly msg: string; readonly [field: string]: unknown }) =>
        line.msg === 'rules loaded' && line.container === workload.name;
      await controller.logged(isLoaded, 'rules loaded', from);
      for (const { address, port, protocol } of destinations) {
        const question = { container: workload.name, target: address, traffic: `${protocol}/${port}` };
        const { explained } = await diagnostics.explain(question);
        const allowed = 'explanations' in explained && explained.explanations[0]?.allowed;
        const { outcome } = await reach(workload, { protocol, address, port });
        expect([rules, address, protocol, port, outcome]).toEqual([
          rules,
          address,
          protocol,
          port,
          allowed ? 'ok' : 'refused',
        ]);
      }
      await fixture.workloads.remove(workload);
    }),
    { numRuns: 12 },
  );
});

describe('the host', () => {
  test('is told by status, in a table and as JSON', async () => {
    const { stdout } = await ask('status');
    expect(stdout).toMatch(new RegExp(`${web.name} +protected\\* +app, missing +[0-9a-f]{8} +\\d+s ago`));
    expect(stdout).toContain('error: key missing: no such ACL key in Consul, so it grants nothing');
    expect(stdout).toMatch(/^rules +\d+s ago +ok$/m);
    const one = await ask('status', web.name, '--json');
    const expected = {
      state: 'protected',
      grants: ['app', 'missing'],
      loader: 'nsenter',
      hasRawSockets: true,
    };
    expect(JSON.parse(one.stdout)).toMatchObject(expected);
  });

  test('is told by lint, with an exit code', async () => {
    const { stdout, code } = await ask('lint');
    expect(code).toBe(1);
    expect(stdout).toContain(`missing: error: ${web.name} asks for this key`);
    expect(stdout).toContain('shop: info: no running workload has this key');
    expect((await alone('lint', '--key', 'shop')).code).toBe(0);
  });

  test('is told by diff what an edit would change', async () => {
    const text = file(`${ipv4(fixture.server)}:tcp/80\n${ipv4(fixture.server)}:udp/80`);
    for (const run of [ask, alone]) {
      const { stdout } = await run('diff', 'app', '--file', text);
      expect(stdout.split('\n')).toEqual([
        `${web.name}:`,
        `  + ${ipv4(fixture.server)}:udp/80`,
        `  - ${ipv4(fixture.other)}:tcp/80`,
        '',
        '1 workload has app; access of 1 changes. Nothing was written.',
      ]);
    }
  });

  test('logs a refused destination once, and counts its packets', async () => {
    const address = ipv4(fixture.server);
    for (let tries = 0; tries < 3; tries++) await connects(web, address, 81);
    const isIt = (line: { readonly msg: string; readonly [field: string]: unknown }) =>
      line.msg === 'destination denied' &&
      line.container === web.name &&
      line.address === address &&
      line.port === 81;
    await controller.logged(isIt, 'destination denied');
    await connects(web, address, 81);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(controller.log.filter(isIt)).toHaveLength(1);
    expect(await metrics()).toMatch(
      new RegExp(`egresstrator_denied_packets_total{container="${web.name}"} [1-9]`),
    );
  });

  test('prints destinations as they come with --follow', async () => {
    const args = [cliPath, 'denied', web.name, '--follow', '--json', ...common(controller.socket)];
    const following = execa(process.execPath, args, { reject: false, stdin: 'ignore' });
    const row = {
      container: web.name,
      address: ipv4(fixture.server),
      protocol: 'udp',
      port: 81,
      services: [],
    };
    let found: object | undefined;
    const tries = setInterval(() => connects(web, ipv4(fixture.server), 81, 'udp'), 300);
    for await (const line of following) {
      const printed: { readonly protocol?: string } = JSON.parse(line);
      if (printed.protocol !== 'udp') continue;
      found = printed;
      break;
    }
    clearInterval(tries);
    following.kill();
    expect(found).toMatchObject(row);
  });

  test('has metrics that agree with its status', async () => {
    const text = await metrics();
    expect(text).toContain('egresstrator_namespaces{state="protected"} 1');
    expect(text).toContain('egresstrator_namespaces{state="failed"} 0');
    expect(text).toContain('egresstrator_rule_problems{severity="error"} 1');
    expect(text).toMatch(/egresstrator_loads_total{outcome="loaded",loader="nsenter"} [1-9]/);
    expect(text).toMatch(/egresstrator_source_confirmed_timestamp_seconds{source="rules"} \d{10}/);
  });

  test('serves nothing on its address that changes anything, or shows rules', async () => {
    const override = await fetch(`http://${listen}/v1/overrides`, { method: 'POST', body: '{}' });
    const keys = await fetch(`http://${listen}/v1/keys`);
    expect([override.status, keys.status]).toEqual([404, 404]);
  });
});

describe('in Consul', () => {
  const NODE = 'host-1';

  test('the controller is a service with a check, and its host is published', async () => {
    const published = await control(fixture, 'diagnostics-2/', ['--dry-run', '--publish', '--node', NODE]);
    try {
      const args = ['status', '--cluster', '-c', fixture.consul.address];
      const output = await waitFor(
        async () => {
          const { stdout } = await runCli(args);
          return /\d+ [a-z]+$/m.test(stdout) ? stdout : undefined;
        },
        { what: 'the published status', timeout: 60_000, interval: 200 },
      );
      expect(output).toMatch(
        /^NODE +STATE +VERSION +LAST SEEN +WORKLOADS\nhost-1 +ok +\d+\.\d+\.\d+ +\d+s ago +1 \w+/,
      );
      // The agent knows at once; the catalog hears of a changed output minutes later.
      const found = JSON.stringify(await fixture.consul.call('GET', '/v1/agent/checks'));
      expect(found).toContain(`"CheckID":"service:egresstrator-${NODE}"`);
      expect(found).toContain('1 namespaces, 0 failed, 0 unsupported, 0 sources failing');
      await published.stop();
      expect((await runCli(args)).stdout).toMatch(/^host-1 +stopped/m);
      expect(
        JSON.stringify(await fixture.consul.call('GET', '/v1/health/service/egresstrator')),
      ).not.toContain(NODE);
    } finally {
      await published[Symbol.asyncDispose]();
    }
  });

  test('a path among the rules is refused: it would be taken for a key', async () => {
    const { code, stderr } = await runCli(['status', '--publish', 'egress/acl/status']);
    expect([code, stderr]).toEqual([
      2,
      'egresstrator: --publish: expected a path outside of egress/acl/, not "egress/acl/status"',
    ]);
  });
});

describe('what is not there is told in one sentence', () => {
  const sentence = ({ code, stderr }: CliResult) => [code, stderr.split('\n').length, stderr];

  test('the container', async () => {
    for (const command of [
      ['explain', 'nobody', '10.0.0.1'],
      ['status', 'nobody'],
    ]) {
      const [code, lines, text] = sentence(await ask(...command));
      expect([code, lines]).toEqual([1, 1]);
      expect(text).toContain('no container "nobody" with EGRESSTRATOR_ENABLE=1 runs here');
    }
    expect((await ask('denied', 'nobody')).stderr).toContain('there is no running container "nobody"');
  });

  test('the rules of a container that asks for none', async () => {
    for (const command of ['denied', 'suggest']) {
      const [code, lines, text] = sentence(await ask(command, fixture.server.name));
      expect([code, lines]).toEqual([1, 1]);
      expect(text).toContain(`${fixture.server.name} has no rules, so nothing is denied`);
    }
  });

  test('destinations, where the template records none', async () => {
    await using silent = await control(fixture, 'diagnostics-3/', ['--dry-run', '--template', 'iptables']);
    const words = 'enied connections are not known: the template iptables does not record them';
    const tell = (...args: readonly string[]) => runCli([...args, '--socket', silent.socket]);
    expect((await tell('denied')).stdout).toMatch(new RegExp(`^D${words}.*\\.$`));
    expect((await tell('suggest')).stdout).toMatch(new RegExp(`^# d${words}`));
    expect((await tell('status')).stdout).toContain(`D${words}`);
    expect(await tell('denied', '--follow')).toMatchObject({ code: 1, stdout: '' });
  });

  test('the controller', async () => {
    const [code, lines, text] = sentence(await alone('status'));
    expect([code, lines]).toEqual([1, 1]);
    expect(text).toContain('no controller answers at /run/no-controller.sock; start one');
    expect((await alone('denied', web.name)).stdout).toContain('tcp/81');
  });

  test('Consul', async () => {
    const args = ['explain', web.name, '10.0.0.1', 'tcp/80', '--socket', '/run/no-controller.sock'];
    const docker = ['--docker-host', `unix://${fixture.engine.socketPath}`];
    const [code, lines, text] = sentence(await runCli([...args, ...docker, '-c', '127.0.0.1:1']));
    expect([code, lines]).toEqual([1, 1]);
    expect(text).toContain('Consul at 127.0.0.1:1 refuses the connection');
  });

  test('the words of a question', async () => {
    expect((await ask('explain', web.name, '10.0.0.1', 'tcp/99999')).code).toBe(2);
    expect((await ask('diff', 'app')).code).toBe(2);
    expect((await ask('lint', '--file', '/does/not/exist')).stderr).toContain('cannot be read');
  });
});

describe('a workload that floods the record of denials', () => {
  const DATAGRAMS = 9_000;
  let flood: Workload;
  const inFlood = (program: string) =>
    execa('nsenter', [`--net=/proc/${flood.pid}/ns/net`, 'perl', '-e', program], { stdin: 'ignore' });
  const datagrams = (host: string, first: number, last: number) =>
    inFlood(`use Socket; socket(S, PF_INET, SOCK_DGRAM, 0);
      send(S, 'x', 0, pack_sockaddr_in($_, inet_aton('${host}'))) for ${first} .. ${last}`);

  beforeAll(async () => {
    flood = await fixture.workloads.run('flood', { acl: 'app' });
    await controller.logged(
      ({ msg, container }) => msg === 'rules loaded' && container === flood.name,
      'rules loaded',
    );
    await datagrams(ipv4(fixture.other), 20_000, 20_000 + DATAGRAMS - 1);
    await datagrams(ipv4(fixture.server), 22, 22);
  });

  test('is told so by denied, which still sees the other host', async () => {
    const { code, stdout } = await ask('denied', flood.name);
    expect(code).toBe(0);
    const unlisted = (DATAGRAMS + 1 - 2_048).toLocaleString('en-US');
    expect(stdout).toContain(
      `The record of ${flood.name} is full: ${unlisted} of 9,001 denied packets are not listed by destination.`,
    );
    expect(stdout).toContain(`  ${ipv4(fixture.server)}: 1 more packet`);
    expect(stdout).toContain(`${flood.name}: 1,948 more destinations; --json lists all.`);
    const { stdout: json } = await ask('denied', flood.name, '--json');
    expect(JSON.parse(json)).toMatchObject({
      records: [{ container: flood.name, packets: 9_001, isFull: true }],
    });
    expect((await alone('denied', flood.name)).stdout).toContain(
      `The record of ${flood.name} is full: ${unlisted} of`,
    );
  });

  test('is told so by status, metrics, suggest and the log, and nobody else is', async () => {
    await controller.logged(
      ({ msg, container }) => msg === 'record of denied destinations is full' && container === flood.name,
      'record is full',
    );
    expect((await ask('status')).stdout).toContain(
      `${flood.name}: the record of denied destinations is full;`,
    );
    const { stdout } = await ask('status', '--json');
    const { namespaces } = StatusReply.parse(JSON.parse(stdout));
    const full = namespaces.filter(({ denied }) => denied?.isFull).map(({ target }) => target);
    expect(full).toEqual([flood.name]);
    const text = await metrics();
    expect(text).toContain(`egresstrator_denied_packets_total{container="${flood.name}"} 9001`);
    expect(text).toContain(`egresstrator_denied_record_full{container="${flood.name}"} 1`);
    expect(text).toContain(`egresstrator_denied_record_full{container="${web.name}"} 0`);
    expect((await ask('suggest', flood.name)).stderr).toContain('the record is or was full');
    const lines = controller.log.filter(({ container }) => container === flood.name);
    expect(lines.filter(({ msg }) => msg === 'destination denied').length).toBeLessThanOrEqual(20);
  });

  test('is remembered across a load', async () => {
    const loaded = async () => /^rules +(\S+)$/m.exec((await ask('status', flood.name)).stdout)?.[1];
    const before = await loaded();
    await putKey(fixture, `${PATH}app`, '192.0.2.1:tcp/9');
    await expect.poll(loaded, { timeout: 60_000 }).not.toBe(before);
    const { stdout } = await ask('denied', flood.name, '--json');
    const { rows }: { rows: readonly object[] } = JSON.parse(stdout);
    expect(rows).toHaveLength(2_048);
  });

  test('is remembered across a restart of the controller, each packet once', async () => {
    const packets = async () => {
      const { stdout } = await ask('denied', flood.name, '--json');
      const { records, rows }: { records: readonly { packets: number }[]; rows: readonly object[] } =
        JSON.parse(stdout);
      return { packets: records[0]?.packets, rows: rows.length };
    };
    await datagrams(ipv4(fixture.server), 23, 23);
    await expect.poll(packets, { timeout: 60_000 }).toEqual({ packets: 9_002, rows: 2_049 });
    const { folder } = controller;
    await controller.stop();
    await datagrams(ipv4(fixture.server), 24, 24);
    controller = await control(fixture, PATH, args(), folder);
    await expect.poll(packets, { timeout: 60_000 }).toEqual({ packets: 9_003, rows: 2_050 });
  });
});
