/**
 * "Moving a host" and "Going back" of docs/migrating.md, step by step on a real Engine. A script that loads the
 * rules that egresstrator 0.2 would have loaded stands in for it.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { becomes, control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { inside } from '../support/kernel.ts';
import { connects, type Workload } from '../support/workloads.ts';

const OLD_RULES = fileURLToPath(new URL('../support/rules-of-0.2.sh', import.meta.url));
const LEFT = 'rules of other programs deny packets';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture('28.5');
});
afterAll(() => fixture?.[Symbol.asyncDispose]());

describe.each(['nft', 'legacy'])('a host whose 0.2 used iptables-%s', (kind) => {
  const path = `moving-${kind}`;
  const args = ['--loader', 'nsenter', '--register', 'none', '--drift-interval', '1'];
  let workload: Workload;
  let controller: RunningController | undefined;

  /** It holds port 80 of the server; a key that it does not hold names port 81. */
  beforeAll(async () => {
    await putKey(fixture, `${path}/own`, `${ipv4(fixture.server)}:tcp/80`);
    await putKey(fixture, `${path}/foreign`, `${ipv4(fixture.server)}:tcp/81`);
    workload = await fixture.workloads.run(path, { acl: 'own' });
    await loadOldRules(workload, `${ipv4(fixture.server)}:81`);
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await fixture.workloads.must('rm', '--force', workload.name);
  });

  const enter = (pid: number, ...words: readonly string[]) =>
    execa('nsenter', [...inside(pid).slice(1), ...words]);
  const loadOldRules = ({ pid }: Workload, ...words: readonly string[]) =>
    enter(pid, 'sh', OLD_RULES, kind, ...words);
  const start = async (...more: readonly string[]) => {
    await controller?.[Symbol.asyncDispose]();
    controller = await control(fixture, `${path}/`, [...args, ...more]);
    return controller;
  };
  const cli = (socket: string, ...words: readonly string[]) =>
    runCli([
      ...words,
      ...['-H', `unix://${fixture.engine.socketPath}`, '-c', fixture.consul.address, '-k', `${path}/`],
      ...['-i', fixture.image, '--socket', socket, '--state-dir', 'none', '--run-dir', 'none'],
    ]);
  const reaches = async () => ({
    granted: await connects(workload, ipv4(fixture.server), 80),
    ofAnotherKey: await connects(workload, ipv4(fixture.server), 81),
    ofNoKey: await connects(workload, ipv4(fixture.other), 80),
  });
  const stateIs = (wanted: string) =>
    waitFor(
      async () =>
        (await controller?.status())?.namespaces.find(({ workloads }) => workloads.includes(workload.name))
          ?.state === wanted,
      { what: `the state ${wanted}` },
    );

  test('under 0.2 everything is open but what other keys name', async () => {
    expect(await reaches()).toEqual({ granted: 'ok', ofAnotherKey: 'refused', ofNoKey: 'ok' });
  });

  test('1. the keys are checked before anything runs', async () => {
    const { code, stdout } = await cli('/nonexistent/api.sock', 'render', '--acl', 'own');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(ipv4(fixture.server)),
    });
  });

  test('2. in audit mode beside it nothing changes, and what would be refused is told', async () => {
    const { socket } = await start('--mode', 'audit');
    await stateIs('audit');
    expect(await reaches()).toEqual({ granted: 'ok', ofAnotherKey: 'refused', ofNoKey: 'ok' });
    const { stdout } = await cli(socket, 'denied', workload.name);
    expect(stdout).toContain(ipv4(fixture.other));
  });

  test('3. in its place it refuses what no key of the container names', async () => {
    await start();
    await stateIs('protected');
    await becomes(workload, ipv4(fixture.other), 80, 'refused');
    expect(await reaches()).toEqual({ granted: 'ok', ofAnotherKey: 'refused', ofNoKey: 'refused' });
  });

  test('4. what 0.2 left refuses what is granted later, and status and lint name it', async () => {
    const { socket } = await start();
    await putKey(fixture, `${path}/own`, `${ipv4(fixture.server)}:tcp/80-81`);
    await waitFor(
      async () =>
        (await cli(socket, 'explain', workload.name, ipv4(fixture.server), 'tcp/81')).stdout.includes(
          'may reach',
        ),
      {
        what: 'the new rule to be known',
      },
    );
    await stateIs('protected');
    expect(await connects(workload, ipv4(fixture.server), 81)).toBe('refused');
    expect((await cli(socket, 'status')).stdout).toContain(`warning: ${workload.name}: ${LEFT}`);
    const { stdout } = await cli(socket, 'lint');
    expect(stdout).toContain(`${workload.name}: warning: ${LEFT}`);
    expect(JSON.parse((await cli(socket, 'lint', '--json')).stdout).findings).toContainEqual(
      expect.objectContaining({ code: 'foreign-rules', container: workload.name }),
    );
  });

  test('4. until they are removed, by which nothing opens that is not granted', async () => {
    const { socket } = await start();
    await enter(workload.pid, `iptables-${kind}`, '-F');
    await becomes(workload, ipv4(fixture.server), 81, 'ok');
    expect(await reaches()).toEqual({ granted: 'ok', ofAnotherKey: 'ok', ofNoKey: 'refused' });
    await waitFor(async () => !(await cli(socket, 'lint')).stdout.includes(LEFT), {
      what: 'lint to be content',
    });
    expect((await cli(socket, 'status')).stdout).not.toContain(LEFT);
  });

  test('4. or the container is restarted', async () => {
    await loadOldRules(workload, `${ipv4(fixture.server)}:81`);
    await fixture.workloads.must('restart', '--time', '0', workload.name);
    workload = await fixture.workloads.find(path);
    await becomes(workload, ipv4(fixture.server), 81, 'ok');
    await becomes(workload, ipv4(fixture.other), 80, 'refused');
  });

  test('going back: after stop and clear the rules of 0.2 alone are in force', async () => {
    const { socket } = await start();
    await stateIs('protected');
    await controller?.stop();
    const cleared = await cli(socket, 'clear', '-a', '--yes', '--loader', 'nsenter');
    expect(cleared).toMatchObject({ code: 0, stdout: expect.stringContaining(workload.name) });
    expect((await enter(workload.pid, 'nft', 'list', 'tables')).stdout).not.toContain('egresstrator');
    await loadOldRules(workload, `${ipv4(fixture.server)}:81`);
    expect(await reaches()).toEqual({ granted: 'ok', ofAnotherKey: 'refused', ofNoKey: 'ok' });
  });
});
