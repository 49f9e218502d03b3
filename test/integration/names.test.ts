/**
 * Rules by name, end to end: a container reaches what the names of its rules lead to, and asks nobody else. The real
 * controller, Engines and kernel, and a resolver of the test's own on loopback.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packet from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type LogLine, type RunningController, runCli } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { ends, goesOn } from '../support/flows.ts';
import { inside } from '../support/kernel.ts';
import { connects, type Workload } from '../support/workloads.ts';
import type { RaceResult } from '../templates/name-asker.ts';
import { startAsker } from '../templates/name-askers.ts';
import { questionBytes } from '../unit/name-proxy/messages.ts';
import { startNameServer } from '../unit/name-proxy/name-servers.ts';

/** As an authoritative server has it: addresses of IPv4, or no such name. */
function answerTo(bytes: Buffer, addresses: readonly string[] | undefined): Uint8Array {
  const { id = 0, questions = [] } = packet.decode(bytes);
  const [{ name, type } = { name: '', type: 'A' as const }] = questions;
  const found = type === 'A' ? (addresses ?? []) : [];
  const rcode = addresses === undefined ? 3 : 0;
  return packet.encode({
    ...{ type: 'response', id, questions, flags: packet.RECURSION_AVAILABLE | rcode },
    answers: found.map((data) => ({ type: 'A', name, ttl: 60, data })),
  });
}

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-names-'));
  let fixture: Fixture;
  let controller: RunningController;
  let upstream: Awaited<ReturnType<typeof startNameServer>>;
  let workload: Workload;
  let [near, far] = ['', ''];
  const asked: string[] = [];
  const addresses = new Map<string, readonly string[]>();

  const start = () => {
    const args = ['--loader', 'nsenter', '--names-upstream', `127.0.0.1:${upstream.endpoint.port}`];
    return control(fixture, 'names/', args, folder);
  };
  const rules = (...lines: readonly string[]) => putKey(fixture, 'names/api', ...lines);
  const becomes = (what: string, isSo: () => Promise<boolean>) =>
    waitFor(isSo, { what, timeout: 30_000, interval: 50 });
  const lookup = async (name: string) =>
    (await fixture.workloads.exec(workload, 'sh', '-c', `nslookup ${name} 2>&1; true`)).stdout;
  /** A question may fail while rules are loaded, or while the machine is busy. */
  const isFound = (name: string, address: string) =>
    becomes(`an answer for ${name}`, async () => (await lookup(name)).includes(address));
  const isAnswering = async () => {
    const { namespaces } = await controller.status();
    return namespaces.find(({ target }) => target === workload.name)?.names?.state === 'answering';
  };
  const isLoad = (line: LogLine) => line.msg === 'rules loaded' && line.container === workload.name;
  const cli = async (...args: readonly string[]) =>
    (await runCli([...args, '--socket', controller.socket])).stdout;

  beforeAll(async () => {
    fixture = await openFixture(version);
    const { server, other, network } = fixture;
    [near, far] = [ipv4(server, network), ipv4(other, network)];
    upstream = await startNameServer((one) => {
      asked.push(one.name);
      one.answer(answerTo(Buffer.from(one.bytes), addresses.get(one.name)));
    });
    addresses.set('api.example.com', [near]);
    addresses.set('www.example.com', [far]);
    addresses.set('evil.example.com', ['127.0.0.1', '169.254.169.254', far]);
    await rules(`api.example.com@${near}:tcp/80`, 'evil.example.com:tcp/80');
    controller = await start();
    workload = await fixture.workloads.run('by-name', { acl: 'api', network });
    await becomes('an answering proxy', isAnswering);
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    upstream?.close();
    await fixture?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a name of a rule is answered, and its address can be reached on its port alone', async () => {
    expect(await connects(workload, near, 80)).toBe('refused');
    await isFound('api.example.com', near);
    expect(await connects(workload, near, 80)).toBe('ok');
    expect(await connects(workload, near, 81)).toBe('refused');
    expect(await connects(workload, far, 80)).toBe('refused');
  });

  test('another name is not asked, and addresses that no rule grants are not told', async () => {
    expect(await lookup('www.example.com')).not.toContain(far);
    expect(asked).not.toContain('www.example.com');
    const evil = await lookup('evil.example.com');
    for (const address of [far, '169.254.169.254']) expect(evil).not.toContain(address);
    expect(await connects(workload, far, 80)).toBe('refused');
  });

  test("containers on its networks are answered by Docker's resolver", async () => {
    await isFound(fixture.other.name, far);
  });

  test('the commands tell the rule, the address and what was asked in vain', async () => {
    const { name } = workload;
    expect(await cli('explain', name, 'api.example.com:80')).toMatch(
      new RegExp(
        `may reach api.example.com tcp/80[^]*key api line 1[^]*${near} tcp/80 is granted until \\d\\d:\\d\\d`,
      ),
    );
    expect(await cli('explain', name, near, 'tcp/80')).toContain(
      'Address of api.example.com (tcp/80), granted',
    );
    expect(await cli('denied', name)).toMatch(/www\.example\.com +.*no rule is about it/);
    expect(await cli('denied', name)).toMatch(
      /evil\.example\.com .*it is private, and the rule names no prefix/,
    );
    expect(await cli('suggest', name)).toContain('www.example.com:tcp/443  # asked');
    expect(await cli('status', name)).toMatch(/names +answered; 1 address of 1 name; 2 names denied/);
  });

  test('a name that goes takes its connections along, and no others', async () => {
    const www = `www.example.com@${far}:tcp/80`;
    await rules(`api.example.com@${near}:tcp/80`, www);
    await isFound('www.example.com', far);
    const [first, second] = await Promise.all(
      [near, far].map((address) => workload.probe.keep({ protocol: 'tcp', address, port: 80 })),
    );
    if (first === undefined || second === undefined) throw new Error('no connections');
    await rules(www);
    await ends(workload, first);
    expect(await connects(workload, near, 80)).toBe('refused');
    await goesOn(workload, second);
    expect(await connects(workload, far, 80)).toBe('ok');
  });

  test('a controller that is killed under questions leaves addresses and connections, and the next one answers without a load', async () => {
    const flow = await workload.probe.keep({ protocol: 'tcp', address: far, port: 80 });
    await using asker = startAsker({ prefix: inside(workload.pid) });
    let isOver = false;
    const results: RaceResult[] = [];
    /** Connects to what it is answered, and to what no rule grants now. */
    const asking = (async () => {
      const questions = new Array(100).fill(Buffer.from(questionBytes('www.example.com')).toString('hex'));
      const course = { resolver: '127.0.0.11', questions, others: [near], port: 80, atOnce: 4 };
      while (!isOver) results.push(await asker.race(course));
    })();
    await becomes('answers', async () => results.length > 1);
    await controller.stop('SIGKILL');
    expect(await connects(workload, far, 80)).toBe('ok');
    controller = await start();
    const ready = performance.now();
    await becomes('an answering proxy', isAnswering);
    const answered = Math.round(performance.now() - ready);
    process.stdout.write(`measured: names are answered ${answered} ms after readiness\n`);
    const before = results.length;
    await becomes('further answers', async () => results.length > before + 1);
    isOver = true;
    await asking;
    expect(results.flatMap(({ refused, reached }) => [...refused, ...reached])).toEqual([]);
    await isFound('www.example.com', far);
    await goesOn(workload, flow);
    expect(controller.log.filter(isLoad)).toEqual([]);
  });

  test('one whose record is damaged reads from the kernel what is granted, and loads nothing', async () => {
    const flow = await workload.probe.keep({ protocol: 'tcp', address: far, port: 80 });
    await controller.stop();
    writeFileSync(join(folder, 'state/names.json'), '{"version":1');
    controller = await start();
    const isWarning = ({ level, msg }: LogLine) =>
      level === 'warn' && msg.includes('granted by name cannot be used');
    expect(controller.log.filter(isWarning)).toHaveLength(1);
    await becomes('an answering proxy', isAnswering);
    expect(await connects(workload, far, 80)).toBe('ok');
    expect(await cli('explain', workload.name, far, 'tcp/80')).toContain(
      'Address of (unknown) (tcp/80), granted',
    );
    await goesOn(workload, flow);
    expect(controller.log.filter(isLoad)).toEqual([]);
    await isFound('www.example.com', far);
  });
});
