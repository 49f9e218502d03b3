/**
 * Containers in trouble: gone or replaced under the controller's hands, crashing in a loop, fifty of them at
 * once, their tables altered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { loadersOn, OLD_ENGINE, onEachEngine } from '../support/engines.ts';
import { argsFor, assertNoBreach, edit, protect, startGuard, untilForgotten } from '../support/faults.ts';
import { control, type Fixture, ipv4, openFixture, summary } from '../support/fixture.ts';
import { footprint, nothingLeaked, pidOf } from '../support/footprint.ts';
import { inside, ourTables } from '../support/kernel.ts';
import { connects } from '../support/workloads.ts';

onEachEngine((version) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(version);
  });
  afterAll(() => fixture?.[Symbol.asyncDispose]());

  describe.each(loadersOn(version))('containers come and go, loading by %s', (loader) => {
    const path = `many-${loader}`;
    let controller: RunningController;
    beforeAll(async () => {
      await edit(fixture, path, 80);
      controller = await control(fixture, `${path}/`, argsFor(fixture, path, loader));
    });
    afterAll(() => controller?.[Symbol.asyncDispose]());

    test('one that dies while its job waits or runs is no failure, and leaves nothing', async () => {
      const workload = await protect(fixture, `stays-${loader}`);
      const before = await footprint(controller, fixture.workloads);
      const lines = controller.log.length;
      await using guard = startGuard(fixture, workload);
      const shortLives = Array.from({ length: 10 }, async (_, index) => {
        const id = await fixture.workloads.start(`dies-${loader}-${index}`, { acl: 'db' });
        await sleep(index * 25);
        await fixture.workloads.must('rm', '--force', id);
      });
      const crashing = await fixture.workloads.start(`crashes-${loader}`, {
        acl: 'db',
        args: ['--restart', 'always'],
        command: ['usleep', '50000'],
      });
      await Promise.all(shortLives);
      await fixture.workloads.must('rm', '--force', crashing);
      await assertNoBreach(guard);
      await untilForgotten(fixture, controller, 'dies-', 'crashes-');
      await nothingLeaked(before, controller, fixture.workloads);
      const failures = controller.log.slice(lines).filter(({ level }) => level === 'error');
      expect(failures.map(({ msg, error }) => `${msg}: ${error}`)).toEqual([]);
      await fixture.workloads.remove(workload);
    });

    test('tables that are altered by hand are put right, also right after a load', async () => {
      const name = fixture.workloads.nameOf(`altered-${loader}`);
      const logged = (message: string, from: number) =>
        controller.logged(({ msg, container }) => msg === message && container === name, message, from);
      const workload = await protect(fixture, `altered-${loader}`);
      await logged('rules loaded', 0);
      const hole = ['ip', 'daddr', ipv4(fixture.server), 'tcp', 'dport', '81', 'accept'];
      for (const alteration of [
        ['add', 'rule', 'inet', 'egresstrator_egress', 'allowed', ...hole],
        ['flush', 'set', 'inet', 'egresstrator_egress', 'allowed4_exact'],
        ['insert', 'rule', 'inet', 'egresstrator_egress', 'output', 'accept'],
        ['delete', 'table', 'netdev', 'egresstrator_egress'],
      ]) {
        const lines = controller.log.length;
        await execa('nsenter', [...inside(workload.pid).slice(1), 'nft', ...alteration]);
        await logged('rules in the kernel were changed', lines);
        await logged('rules loaded', lines);
        expect(await connects(workload, ipv4(fixture.server), 81)).toBe('refused');
        expect(await ourTables(inside(workload.pid))).toHaveLength(2);
      }
      await fixture.workloads.remove(workload);
    });
  });

  // By nsenter, as the rest: on the Engine that has less to do above.
  if (version !== OLD_ENGINE) return;

  test('a pid that is reused by another process leads into no foreign namespace', async () => {
    const path = 'reused';
    await edit(fixture, path, 80);
    await using controller = await control(fixture, `${path}/`, argsFor(fixture, path, 'nsenter'));
    const { workloads, server, other } = fixture;
    const workload = await protect(fixture, 'reused');
    const pid = pidOf(controller);
    process.kill(pid, 'SIGSTOP');
    await workloads.must('kill', workload.id);
    // A process with the same number in the namespace of a container that nobody asked to protect.
    const script = [
      'for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do',
      `echo ${workload.pid - 1} >/proc/sys/kernel/ns_last_pid; sleep 20 >/dev/null & [ $! = ${workload.pid} ] && break;`,
      'kill $!; done; echo $!; exec >&-; wait',
    ].join(' ');
    const reuse = execa('nsenter', [...inside(other.pid).slice(1), 'sh', '-c', script], { reject: false });
    const [line] = await Promise.race([reuse.stdout?.toArray() ?? [], sleep(3_000, [])]);
    await edit(fixture, path, 80, 81);
    process.kill(pid, 'SIGCONT');
    await untilForgotten(fixture, controller, 'reused');
    for (const one of [other, server]) expect(await ourTables(inside(one.pid))).toEqual([]);
    expect(await ourTables(fixture.engine.networkPrefix)).toEqual([]);
    process.stdout.write(
      `pid ${workload.pid} was reused: ${String(line ?? '').trim() === String(workload.pid)}\n`,
    );
    reuse.kill('SIGKILL');
    await fixture.workloads.remove(workload);
  });

  test('fifty containers started at once are all protected, and leave nothing', async () => {
    const path = 'fifty';
    await edit(fixture, path, 80);
    await using controller = await control(fixture, `${path}/`, argsFor(fixture, path, 'auto'));
    const before = await footprint(controller, fixture.workloads);
    const names = Array.from({ length: 50 }, (_, index) => `fifty-${index}`);
    await Promise.all(names.map((name) => fixture.workloads.start(name, { acl: 'db' })));
    const started = performance.now();
    const allProtected = async () => {
      const { namespaces } = await controller.status();
      const ours = namespaces.filter(({ target }) => target.startsWith(fixture.workloads.nameOf('fifty-')));
      return ours.filter(({ state }) => state === 'protected').length === names.length;
    };
    await waitFor(allProtected, { what: 'all fifty to be protected', timeout: 60_000 });
    summary('fifty containers: last start to all protected', [performance.now() - started]);
    for (const name of ['fifty-0', 'fifty-25', 'fifty-49']) {
      const workload = await fixture.workloads.find(name);
      expect(await connects(workload, ipv4(fixture.server), 80)).toBe('ok');
      expect(await connects(workload, ipv4(fixture.server), 81)).toBe('refused');
    }
    await fixture.workloads.must('rm', '--force', ...names.map((name) => fixture.workloads.nameOf(name)));
    await untilForgotten(fixture, controller, 'fifty-');
    await nothingLeaked(before, controller, fixture.workloads);
    expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
