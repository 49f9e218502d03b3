/**
 * Workloads that break what is asked of them: one moves the folder of its volume away, puts a link in a circle
 * there and empties its resolv.conf; others take a lease on theirs. Where the controller sees none of the Engine's
 * files, each of that stood in front of their rules, or kept every helper out.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { PROGRAM, startController } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { becomes, type Fixture, ipv4, openFixture, putKey, summary } from '../support/fixture.ts';
import { leaseOn } from '../support/lease.ts';
import { connects } from '../support/workloads.ts';

/** Milliseconds in which a lease would still be in the way: the kernel takes it back after 45 s. */
const SOON = 40_000;

/** The controller where nothing is to be seen of the folder in which the Engine keeps containers. */
function blindProgram(folder: string, containers: string): string {
  const program = join(folder, 'blind');
  const hide = `mount -t tmpfs none '${containers}' && exec '${process.execPath}' '${PROGRAM}' "$@"`;
  writeFileSync(
    program,
    `#!/bin/sh\nexec unshare --mount sh -c '${hide.replaceAll("'", `'\\''`)}' sh "$@"\n`,
  );
  chmodSync(program, 0o755);
  return program;
}

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-hostile-'));
  let fixture: Fixture;

  const resolvConfOf = (id: string) =>
    fixture.workloads.must('inspect', '--format', '{{.ResolvConfPath}}', id).then((text) => text.trim());

  /** The image of a workload whose volume is to be moved away. */
  async function buildImage(): Promise<string> {
    const image = 'egresstrator-lab/moving:test';
    const dockerfile = join(folder, 'Dockerfile');
    writeFileSync(dockerfile, 'FROM egresstrator-lab/workload:latest\nVOLUME /p/data\n');
    await fixture.workloads.must('build', '--quiet', '--tag', image, '--file', dockerfile, folder);
    return image;
  }

  beforeAll(async () => {
    fixture = await openFixture(version);
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('their rules are loaded, what is revoked is gone, and neighbours are not delayed', async () => {
    const { workloads, server, engine, consul, image } = fixture;
    await putKey(fixture, 'hostile/db', `${ipv4(server)}:tcp/80-81`);
    const attack = 'mv /p /q; ln -s /p /p; : >/etc/resolv.conf; exec sleep 600';
    const moving = { acl: 'db', image: await buildImage(), command: ['sh', '-c', attack] };
    const hostile = [
      await workloads.run('moving', moving),
      await workloads.run('leasing', { acl: 'db' }),
      await workloads.run('leasing-too', { acl: 'db' }),
    ];
    // The attack works: the Engine does not send the file.
    await waitFor(
      async () =>
        (await workloads.docker('cp', `${workloads.nameOf('moving')}:/etc/resolv.conf`, '-')).code !== 0,
      {
        what: 'the Engine to refuse',
        timeout: 60_000,
      },
    );
    using leases = new DisposableStack();
    for (const { id } of hostile) leases.use(await leaseOn(await resolvConfOf(id)));

    const containers = dirname(dirname(await resolvConfOf(server.id)));
    await using controller = await startController({
      ...{ engine, until: 'listening' },
      program: blindProgram(folder, containers),
      args: ['-c', consul.address, '-k', 'hostile/', '-i', image, '--loader', 'helper'],
    });
    // From here on, as a start of the program takes long on a busy machine.
    const begun = performance.now();
    await Promise.all(hostile.map((one) => becomes(one, ipv4(server), 82, 'refused')));
    const loaded = performance.now() - begun;
    const neighbour = await workloads.run('neighbour', { acl: 'db' });
    const delay = await becomes(neighbour, ipv4(server), 82, 'refused');
    await putKey(fixture, 'hostile/db', `${ipv4(server)}:tcp/80`);
    const all = [...hostile, neighbour];
    const revoked = await Promise.all(all.map((one) => becomes(one, ipv4(server), 81, 'refused')));
    for (const one of all) expect(await connects(one, ipv4(server), 80)).toBe('ok');
    expect(summary(`Engine ${version}: rules of hostile workloads`, [loaded])).toBeLessThan(SOON);
    expect(summary(`Engine ${version}: rules of a neighbour`, [delay])).toBeLessThan(SOON);
    expect(summary(`Engine ${version}: revoked`, revoked)).toBeLessThan(SOON);
    expect(controller.log.filter(({ msg }) => msg.startsWith('rules could not be loaded'))).toEqual([]);
  });
});
