/**
 * Containers and controllers that come, go and change: restarted, renamed, paused, connected to another
 * network, watched by two controllers, left by the one they had.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type LogLine, RunningController, runCli } from '../support/egresstrator.ts';
import { comparing, loadersOn, onEachEngine } from '../support/engines.ts';
import { becomes, control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { fingerprint, handles, inside, ourTables } from '../support/kernel.ts';
import { connects, type Workload, type WorkloadOptions } from '../support/workloads.ts';

onEachEngine((version) => {
  describe.each(loadersOn(version))('loading by %s', (loader) => {
    let fixture: Fixture;
    let controller: RunningController;
    beforeAll(async () => {
      fixture = await openFixture(version);
      controller = await control(fixture, 'acl/', ['--loader', loader, ...comparing(loader)]);
    });
    afterAll(async () => {
      await controller?.[Symbol.asyncDispose]();
      await fixture?.[Symbol.asyncDispose]();
    });

    const key = (name: string, ...rules: readonly string[]) => putKey(fixture, `acl/${name}`, ...rules);

    /** Waits until its rules are loaded, by a line of the log after the first `from`. */
    const loaded = ({ name }: Pick<Workload, 'name'>, from = 0): Promise<LogLine> =>
      controller.logged(
        (line) => line.msg === 'rules loaded' && line.container === name,
        `rules for ${name}`,
        from,
      );

    async function protect(name: string, acl: string, options: WorkloadOptions = {}): Promise<Workload> {
      const workload = await fixture.workloads.run(name, { acl, ...options });
      await loaded(workload);
      return workload;
    }

    test('a container that is restarted gets its rules again, also one that crashes in a loop', async () => {
      const { workloads, server } = fixture;
      await key('db', `${ipv4(server)}:tcp/80`);
      const first = await protect('restarted', 'db');
      const lines = controller.log.length;
      await workloads.must('restart', '--time', '1', first.id);
      await loaded(first, lines);
      const second = await workloads.find('restarted');
      expect(second.pid).not.toBe(first.pid);
      expect(await connects(second, ipv4(server), 80)).toBe('ok');
      expect(await connects(second, ipv4(server), 81)).toBe('refused');
      expect(
        (await controller.status()).namespaces.filter(({ target }) => target === first.name),
      ).toHaveLength(1);
      // Each of its short lives ends while it may be under work; that is no failure, unless the Engine
      // on a busy machine goes on to say for long that it runs.
      const restart = ['--restart', 'always'];
      const crash = await workloads.start('crashing', {
        acl: 'db',
        args: restart,
        command: ['usleep', '150000'],
      });
      const starts = async () =>
        Number(await workloads.must('inspect', '-f', '{{.RestartCount}}', crash)) > 3;
      await waitFor(starts, { what: 'four crashes', timeout: 60_000 });
      await workloads.must('rm', '--force', crash);
      const failures = controller.log.slice(lines).filter(({ level }) => level === 'error');
      const others = failures.filter(
        ({ error }) => !/not there any more|ended meanwhile/.test(String(error)),
      );
      expect(others.map(({ msg, error }) => `${msg}: ${error}`)).toEqual([]);
      await workloads.remove(second);
    });

    test('a new name changes nothing but the name', async () => {
      const { workloads, server } = fixture;
      await key('db', `${ipv4(server)}:tcp/80`);
      const workload = await protect('old-name', 'db');
      const before = await handles(workload.pid);
      await workloads.must('rename', workload.id, workloads.nameOf('new-name'));
      const since = Date.now();
      const checked = async () => {
        const { namespaces } = await controller.status();
        const renamed = namespaces.find(({ target }) => target === workloads.nameOf('new-name'));
        return renamed?.verifiedAt !== undefined && renamed.verifiedAt > since;
      };
      await waitFor(checked, { what: 'a look under the new name', timeout: 60_000 });
      expect(await handles(workload.pid)).toBe(before);
      await key('db', `${ipv4(server)}:tcp/81`);
      await becomes(workload, ipv4(server), 81, 'ok');
      await workloads.remove(workload);
    });

    test('a paused container is kept up to date', async () => {
      const { workloads, server } = fixture;
      await key('db', `${ipv4(server)}:tcp/80`);
      const workload = await protect('paused', 'db');
      await workloads.must('pause', workload.id);
      await key('db', `${ipv4(server)}:tcp/81`);
      // The probe is no process of the container's, and is not paused.
      await becomes(workload, ipv4(server), 81, 'ok');
      await workloads.must('unpause', workload.id);
      expect(await connects(workload, ipv4(server), 80)).toBe('refused');
      await workloads.remove(workload);
    });

    test('a network that is connected after the start is guarded too', async () => {
      const { workloads, server, other } = fixture;
      const network = await workloads.network('later');
      for (const { id } of [server, other]) await workloads.must('network', 'connect', network, id);
      const [near, far] = [await workloads.find('server'), await workloads.find('other')];
      await key('later', `${ipv4(near, network)}:tcp/80`, `${ipv4(near)}:tcp/80`);
      const workload = await protect('connected', 'later');
      expect(await connects(workload, ipv4(near), 80)).toBe('ok');
      const lines = controller.log.length;
      await workloads.must('network', 'connect', network, workload.id);
      await loaded(workload, lines);
      expect(await connects(workload, ipv4(near, network), 80)).toBe('ok');
      expect(await connects(workload, ipv4(near, network), 81)).toBe('refused');
      expect(await connects(workload, ipv4(far, network), 80)).toBe('refused');
      expect(await connects(workload, ipv4(near), 80)).toBe('ok');
      await workloads.must('network', 'disconnect', 'bridge', workload.id);
      expect(await connects(workload, ipv4(near, network), 80)).toBe('ok');
      await workloads.remove(workload);
    });

    test('rules that somebody removes in the kernel come back', async () => {
      const { workloads, server } = fixture;
      await key('db', `${ipv4(server)}:tcp/80`);
      const workload = await protect('altered', 'db');
      // Not while a job is at work, which would put them back without having missed them.
      await controller.logged(
        ({ msg, container }) => msg === 'rules are in place' && container === workload.name,
        'a look',
      );
      await workloads.must(
        'run',
        '--rm',
        '--network',
        `container:${workload.id}`,
        '--cap-add',
        'NET_ADMIN',
        '--entrypoint',
        'nft',
        fixture.image,
        'delete',
        'table',
        'inet',
        'egresstrator_egress',
      );
      await becomes(workload, ipv4(server), 81, 'refused');
      expect(await ourTables(inside(workload.pid))).toEqual([
        'inet egresstrator_egress',
        'netdev egresstrator_egress',
      ]);
      await controller.logged(({ msg }) => msg === 'rules in the kernel were changed', 'altered');
      await workloads.remove(workload);
    });

    test('a second controller is refused the socket, and with its own both agree', async () => {
      const { workloads, server } = fixture;
      await key('shared', `${ipv4(server)}:tcp/80`);
      const workload = await protect('shared', 'shared');
      const same = ['-c', fixture.consul.address, '-k', 'acl/', '-i', fixture.image, '--loader', loader];
      const host = ['-H', `unix://${fixture.engine.socketPath}`, '--state-dir', 'none', '--run-dir', 'none'];
      const refused = await runCli([...host, ...same, '--socket', controller.socket]);
      expect(refused).toEqual({
        code: 1,
        stdout: '',
        stderr: `egresstrator: another controller answers at ${controller.socket}; stop it, or give this one another --socket`,
      });
      expect((await runCli(['health', '--socket', controller.socket])).code).toBe(0);

      await using second = await control(fixture, 'acl/', ['--loader', loader, ...comparing(loader)]);
      const both = [controller, second];
      const views = () =>
        Promise.all(
          both.map(async (one) => {
            const { namespaces } = await one.status();
            return namespaces.find(({ target }) => target === workload.name);
          }),
        );
      const agree = async () => {
        const inKernel = await fingerprint(workload.pid);
        return inKernel !== undefined && (await views()).every((view) => view?.fingerprint === inKernel);
      };
      /** Each has compared the kernel with what should be there since then. */
      const looked = async (since: number) =>
        (await views()).every((view) => (view?.verifiedAt ?? 0) > since);
      await key('shared', `${ipv4(server)}:tcp/81`);
      await becomes(workload, ipv4(server), 81, 'ok');
      await waitFor(agree, { what: 'both controllers to agree', timeout: 60_000 });
      const agreed = Date.now();
      await waitFor(() => looked(agreed), { what: 'both to look', timeout: 60_000 });
      const [quiet, since] = [await handles(workload.pid), Date.now()];
      await waitFor(() => looked(since), { what: 'both to look again', timeout: 60_000 });
      expect(await handles(workload.pid)).toBe(quiet);
      await workloads.remove(workload);
    });

    test('rules outlive the controller, and the next one loads only what is not right', async () => {
      const { workloads, server } = fixture;
      await key('kept', `${ipv4(server)}:tcp/80`);
      await key('changed', `${ipv4(server)}:tcp/80`);
      const [kept, changed] = await Promise.all([protect('kept', 'kept'), protect('changed', 'changed')]);
      const keptHandles = await handles(kept.pid);
      const flow = await kept.probe.keep({ protocol: 'tcp', address: ipv4(server), port: 80 });
      const stoppedAt = performance.now();
      expect(await controller.stop()).toEqual({ code: 0, signal: null });
      expect(performance.now() - stoppedAt).toBeLessThan(30_000);
      expect(controller.log.map(({ msg }) => msg)).toContain('stopping; loaded rules stay');
      expect(await handles(kept.pid)).toBe(keptHandles);
      expect(await connects(kept, ipv4(server), 81)).toBe('refused');
      expect((await runCli(['health', '--socket', controller.socket])).code).toBe(1);
      await key('changed', `${ipv4(server)}:tcp/81`);

      const { folder } = controller;
      const args = ['-c', fixture.consul.address, '-k', 'acl/', '-i', fixture.image, '--loader', loader];
      await using next = new RunningController({
        engine: fixture.engine,
        folder,
        args: [...args, ...comparing(loader)],
      });
      await next.ready();
      await next.logged(({ msg }) => msg === 'rules loaded', 'a load');
      expect(await connects(changed, ipv4(server), 81)).toBe('ok');
      const verified = async () =>
        (await next.status()).namespaces.find(({ target }) => target === kept.name)?.state === 'protected';
      await waitFor(verified, { what: 'the other one to be recognised', timeout: 60_000 });
      expect(await handles(kept.pid)).toBe(keptHandles);
      expect((await kept.probe.flow(flow)).error).toBeUndefined();
      const loads = next.log.filter(({ msg }) => msg === 'rules loaded').map(({ container }) => container);
      expect(loads).toEqual([changed.name]);

      // As after a crash: the socket is still there, and no longer answers.
      await next.stop('SIGKILL');
      const again = new RunningController({ engine: fixture.engine, folder, args });
      await again.ready();
      expect((await runCli(['health', '--socket', again.socket])).code).toBe(0);
      expect(await handles(kept.pid)).toBe(keptHandles);
      await again.stop();
      await workloads.remove(kept, changed);
    });
  });
});
