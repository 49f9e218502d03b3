/**
 * The controller in trouble: killed at any moment, its disk full or its memory of before damaged.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { RunningController } from '../support/egresstrator.ts';
import { loadersOn, OLD_ENGINE, onEachEngine } from '../support/engines.ts';
import { argsFor, assertNoBreach, edit, protect, startGuard } from '../support/faults.ts';
import { becomes, control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { handles } from '../support/kernel.ts';

onEachEngine((version) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(version);
  });
  afterAll(() => fixture?.[Symbol.asyncDispose]());

  describe.each(loadersOn(version))('killed, loading by %s', (loader) => {
    test('at random moments of its work: each next one goes on where it was', async () => {
      const path = `killed-${loader}`;
      await edit(fixture, path, 80);
      const first = await control(fixture, `${path}/`, argsFor(fixture, path, loader));
      const workload = await protect(fixture, path);
      await using guard = startGuard(fixture, workload);
      const { folder } = first;
      let controller = first;
      for (let round = 0; round < 6; round += 1) {
        const edits = [edit(fixture, path, 80, 81), sleep(40).then(() => edit(fixture, path, 80))];
        await sleep(Math.random() * 400);
        await controller.stop('SIGKILL');
        await Promise.all(edits);
        controller = new RunningController({
          engine: fixture.engine,
          folder,
          args: argsFor(fixture, path, loader),
        });
        await sleep(round % 2 === 0 ? Math.random() * 1_500 : 0);
        if (round % 2 === 1) await controller.ready();
      }
      await controller.ready();
      await becomes(workload, ipv4(fixture.server), 81, 'refused');
      await edit(fixture, path, 80, 81);
      await becomes(workload, ipv4(fixture.server), 81, 'ok');
      await edit(fixture, path, 80);
      await becomes(workload, ipv4(fixture.server), 81, 'refused');
      await assertNoBreach(guard);
      expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
      // A helper that nobody waits for any more ends by itself.
      const helpers = () =>
        fixture.workloads.must('ps', '--quiet', '--filter', 'label=egresstrator.role=helper');
      await waitFor(async () => (await helpers()) === '', { what: 'helpers to end', timeout: 60_000 });
      await fixture.workloads.remove(workload);
      await controller[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });
  });

  // Nothing of it is the Engine's: it is tested on that which has less to do above.
  if (version !== OLD_ENGINE) return;

  describe('its state folder', () => {
    test('is full: it goes on, says so once, and writes again when there is room', async () => {
      const path = 'full';
      await edit(fixture, path, 80);
      await using first = await control(fixture, `${path}/`, argsFor(fixture, path, 'nsenter'));
      const { folder } = first;
      await first.stop();
      const state = join(folder, 'state');
      rmSync(state, { recursive: true, force: true });
      await mkdir(state);
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', state]);
      try {
        await using controller = new RunningController({
          engine: fixture.engine,
          folder,
          args: argsFor(fixture, path, 'nsenter'),
        });
        await controller.ready();
        const workload = await protect(fixture, 'full');
        const filler = join(state, 'filler');
        await execa('sh', ['-c', `cat /dev/zero >"${filler}" || true`], { reject: false });
        await using guard = startGuard(fixture, workload);
        await edit(fixture, path, 80, 81);
        await becomes(workload, ipv4(fixture.server), 81, 'ok');
        await edit(fixture, path, 80);
        await becomes(workload, ipv4(fixture.server), 81, 'refused');
        const complaints = controller.log.flatMap(({ msg }) =>
          msg.includes('could not be written to disk') ? msg : [],
        );
        expect(complaints).toContain('last known rules could not be written to disk');
        expect(complaints).toEqual([...new Set(complaints)]);
        await putKey(fixture, `${path}/other`, '# the last edit before there is room');
        await waitFor(async () => (await controller.status()).sources.every(({ known }) => known), {
          what: 'the edit to be read',
        });
        rmSync(filler);
        const kept = () => readText(join(state, 'known.json')).includes('before there is room');
        await waitFor(kept, { what: 'the state to be written', timeout: 60_000 });
        await assertNoBreach(guard);
        await fixture.workloads.remove(workload);
      } finally {
        await execa('umount', ['--lazy', state]);
      }
    });

    // All other forms of damage: state-file.test.ts.
    test('is damaged: it warns, and what is loaded stays', async () => {
      const path = 'state-damaged';
      await edit(fixture, path, 80);
      await using first = await control(fixture, `${path}/`, argsFor(fixture, path, 'nsenter'));
      const workload = await protect(fixture, path);
      await first.stop('SIGKILL');
      const file = join(first.folder, 'state', 'known.json');
      const text = readText(file);
      expect(text).toContain('tcp/80');
      writeFileSync(file, text.replace('tcp/80', 'tcp/81'));
      await using guard = startGuard(fixture, workload);
      const loaded = await handles(workload.pid);
      const away = [...argsFor(fixture, path, 'nsenter'), '-c', '127.0.0.1:1'];
      const second = new RunningController({ engine: fixture.engine, folder: first.folder, args: away });
      await second.logged(({ level, msg }) => level === 'warn' && /cannot be used/.test(msg), 'a warning');
      await second.logged(({ msg }) => /keeping the existing rules/.test(msg), 'that rules stay');
      expect(await handles(workload.pid)).toBe(loaded);
      await second.stop('SIGKILL');
      await assertNoBreach(guard);
      await fixture.workloads.remove(workload);
    });
  });
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
