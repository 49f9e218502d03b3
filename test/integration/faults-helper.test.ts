/**
 * The helper in trouble: its image deleted, its program failing. What is loaded stays, it is reported, and loaded as soon
 * as helpers work again. One that hangs fails after its time: dataplane-helper.test.ts.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningController } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { assertNoBreach, edit, protect, startGuard } from '../support/faults.ts';
import { becomes, control, type Fixture, ipv4, openFixture, summary } from '../support/fixture.ts';
import { type Footprint, footprint, nothingLeaked } from '../support/footprint.ts';
import { handles } from '../support/kernel.ts';
import { connects, type Workload } from '../support/workloads.ts';

/** Milliseconds from the end of a short trouble to an edit that counts: one retry, and the load. */
const SECONDS = 10_000;

onEachEngine((version) => {
  /** Of this test alone, so that it may be deleted and replaced. */
  const image = 'egresstrator-lab/helper:faults';
  const path = `helper-${version}`;
  let fixture: Fixture;
  let controller: RunningController;
  let workload: Workload;
  let before: Footprint;

  beforeAll(async () => {
    fixture = await openFixture(version);
    await repair();
    await edit(fixture, path, 80);
    const args = ['--loader', 'helper', '-i', image, '--drift-interval', '3600', '--denied-interval', '0'];
    controller = await control(fixture, `${path}/`, args);
    workload = await protect(fixture, 'helped');
    before = await footprint(controller, fixture.workloads);
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await fixture?.workloads.docker('rmi', '--force', image);
    await fixture?.[Symbol.asyncDispose]();
  });

  const repair = () => fixture.workloads.must('tag', fixture.image, image);

  /** Puts an image in the place of the helper's, whose program is this one. */
  async function replaceProgram(script: string): Promise<void> {
    const write = `printf '%s\\n' '#!/bin/sh' '${script}' >/usr/local/lib/egresstrator/netns`;
    const name = fixture.workloads.nameOf('spoiler');
    await fixture.workloads.must('run', '--name', name, '--entrypoint', 'sh', fixture.image, '-c', write);
    await fixture.workloads.must('commit', name, image);
    await fixture.workloads.must('rm', '--force', name);
  }

  const troubles = [
    [
      'its image is deleted',
      () => fixture.workloads.must('rmi', image),
      /was removed from the Engine|No such image/,
    ],
    [
      'its program fails',
      () => replaceProgram('echo netns: made up by a test >&2; exit 1'),
      /made up by a test/,
    ],
    ['it says nothing', () => replaceProgram('cat >/dev/null'), /has no fingerprint after rules/],
    [
      'its program is missing',
      () => fixture.workloads.must('tag', 'egresstrator-lab/workload:latest', image),
      /./,
    ],
  ] as const;

  test.each(troubles)('%s', async (what, trouble, message) => {
    await using guard = startGuard(fixture, workload);
    const loaded = await handles(workload.pid);
    const lines = controller.log.length;
    await trouble();
    await edit(fixture, path, 80, 81);
    const complaint = await controller.logged(
      ({ msg, container }) => /could not be loaded/.test(msg) && container === workload.name,
      'the failure',
      lines,
    );
    expect(complaint.error).toMatch(message);
    expect(await handles(workload.pid)).toBe(loaded);
    expect(await connects(workload, ipv4(fixture.server), 81)).toBe('refused');
    await repair();
    const repaired = performance.now();
    await becomes(workload, ipv4(fixture.server), 81, 'ok');
    const waited = performance.now() - repaired;
    expect(summary(`Engine ${version}, ${what}: end to edit enforced`, [waited])).toBeLessThan(SECONDS);
    await edit(fixture, path, 80);
    await becomes(workload, ipv4(fixture.server), 81, 'refused');
    await assertNoBreach(guard);
    await nothingLeaked(before, controller, fixture.workloads);
  });
});
