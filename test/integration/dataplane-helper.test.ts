/** Helper containers on real Engines: what they load, what they may do, and that none is ever left. */

import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEngine } from '../../lab/engine.ts';
import { LoadError } from '../../src/common/errors.ts';
import { createDataplane } from '../../src/dataplane/create-dataplane.ts';
import { HelperRunner, type HelperSettings } from '../../src/dataplane/helper.ts';
import type { Command } from '../../src/dataplane/runner.ts';
import { NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import { ourLabels, ourName } from '../../src/sources/docker/labels.ts';
import { ENGINES } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { brokenRuleset, imageWithProgram, smallRuleset } from './dataplane-lab.ts';
import { type DockerLab, dockerLab, openDockerLab } from './docker-lab.ts';

const INSPECT: Command = { name: 'inspect', owner: 'egress' };
const LOAD: Command = { name: 'load', owner: 'egress' };

describe.each(ENGINES)('Engine %s', (version) => {
  const instance = randomUUID();
  let lab: DockerLab;
  let image: string;
  const runners: HelperRunner[] = [];
  beforeAll(async () => {
    lab = await openDockerLab(version);
    image = await ensureTestImage(lab);
  });

  const helpers = () =>
    lab.docker('ps', '--all', '--quiet', '--filter', `label=egresstrator.instance=${instance}`);
  const open = (from = image, settings: Partial<HelperSettings> = {}) => {
    const runner = new HelperRunner(lab.engine, async () => from, { instance, ...settings });
    runners.push(runner);
    return runner;
  };
  const openDataplane = (from?: string, settings?: Partial<HelperSettings>) =>
    createDataplane(open(from, settings));

  /** What `work` throws, which must be a LoadError. */
  const failureOf = async (work: Promise<unknown>): Promise<LoadError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof LoadError) return error;
    throw new Error(`expected a LoadError, got ${error}`);
  };

  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.close()));
    expect(await helpers()).toBe('');
  });

  test('loads, reads, replaces and clears', async () => {
    const dataplane = openDataplane();
    const ref = await lab.namespaceOf(await lab.start());
    const nothing = { fingerprint: undefined, facts: undefined, digest: undefined };
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
    const loaded = await dataplane.load(ref, smallRuleset('12ab'));
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(loaded).toEqual({ fingerprint: '12ab', facts: '0x1234abcd', digest, listing: digest });
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded, denied: NOTHING_DENIED });
    expect(await dataplane.denied(ref, 'egress')).toEqual(NOTHING_DENIED);
    expect(await dataplane.load(ref, smallRuleset('34cd'))).toMatchObject({ fingerprint: '34cd' });
    await dataplane.clear(ref);
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
  });

  test('a text that does not load: the reason, and what was there stays', async () => {
    const dataplane = openDataplane();
    const ref = await lab.namespaceOf(await lab.start());
    await dataplane.load(ref, smallRuleset('12ab'));
    const failure = await failureOf(dataplane.load(ref, brokenRuleset));
    expect(failure).toMatchObject({ exitCode: 1, gone: false });
    expect(failure.message).toContain(`Could not load rules in ${ref.name}: `);
    expect(failure.message).toMatch(/in "meta mark 0x1234abcd nonsense" \(exit code 1\)\.$/);
    expect(failure.stderr).toContain('nonsense');
    expect(await dataplane.inspect(ref, 'egress')).toMatchObject({ loaded: { fingerprint: '12ab' } });
  });

  test('tests a load where there is no container', async () => {
    const dataplane = openDataplane();
    await dataplane.testLoad(smallRuleset('12ab'));
    const failure = await failureOf(dataplane.testLoad(brokenRuleset));
    expect(failure.message).toMatch(/^Could not load rules in an empty namespace: /);
  });

  test("a member's namespace, and that of one whose owner has ended", async () => {
    const dataplane = openDataplane();
    const owner = await lab.start();
    const member = await lab.start('--network', `container:${owner}`);
    await dataplane.load(await lab.namespaceOf(owner), smallRuleset('12ab'));
    await lab.docker('stop', '--time', '0', owner);
    expect(await dataplane.inspect(await lab.namespaceOf(member), 'egress')).toMatchObject({
      loaded: { fingerprint: '12ab' },
    });
  });

  test('a container that is paused', async () => {
    const dataplane = openDataplane();
    const id = await lab.start();
    await lab.docker('pause', id);
    const ref = await lab.namespaceOf(id);
    expect(await dataplane.load(ref, smallRuleset('12ab'))).toMatchObject({ fingerprint: '12ab' });
    await lab.docker('unpause', id);
  });

  test('a container that stopped, was removed, or was restarted meanwhile, is gone', async () => {
    const dataplane = openDataplane();
    const id = await lab.start();
    const ref = await lab.namespaceOf(id);
    await lab.docker('restart', '--time', '0', id);
    expect(await failureOf(dataplane.inspect(ref, 'egress'))).toMatchObject({ gone: true });
    expect(await dataplane.inspect(await lab.namespaceOf(id), 'egress')).toBeDefined();
    await lab.docker('stop', '--time', '0', id);
    expect(await failureOf(dataplane.load(ref, smallRuleset('12')))).toMatchObject({ gone: true });
    await lab.docker('rm', id);
    expect(await failureOf(dataplane.inspect(ref, 'egress'))).toMatchObject({ gone: true });
  });

  test('a container that ends at any moment of a load: loaded, or gone', async () => {
    const dataplane = openDataplane();
    for (const delay of [0, 30, 60, 90]) {
      const id = await lab.start('--network', 'none');
      const ref = await lab.namespaceOf(id);
      const loading = dataplane.load(ref, smallRuleset('12ab')).then(
        (loaded) => loaded.fingerprint === '12ab',
        (error: unknown) => (error instanceof LoadError && error.gone) || error,
      );
      await new Promise((resolve) => setTimeout(resolve, delay));
      await lab.engine.remove(id);
      expect(await loading).toBe(true);
    }
  });

  test("nothing is started in the host's namespace", async () => {
    const marked = await imageWithProgram(lab, 'marked', 'echo "it ran" >&2; exit 9');
    const ref = await lab.namespaceOf(await lab.start('--network', 'host'));
    const failure = await failureOf(openDataplane(marked).load(ref, smallRuleset('12ab')));
    expect(failure).toMatchObject({ exitCode: undefined, gone: false });
    expect(failure.message).toContain("the host's own network namespace");
  });

  test('may change its network, and nothing else', async () => {
    const report = [
      'grep -E "^(CapEff|CapBnd|NoNewPrivs|Uid|Seccomp):" /proc/self/status',
      'touch /tmp/x /usr/x 2>&1 | grep -c "Read-only"',
      'env',
    ];
    const runner = open(await imageWithProgram(lab, 'report', report.join('\n')));
    const { stdout } = await runner.run(await lab.namespaceOf(await lab.start()), INSPECT);
    // Bit 12 is CAP_NET_ADMIN.
    expect(stdout).toMatch(/^CapEff:\s+0000000000001000$/m);
    expect(stdout).toMatch(/^CapBnd:\s+0000000000001000$/m);
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(stdout).toMatch(/^Uid:\s+0\s/m);
    expect(stdout).toMatch(/^Seccomp:\s+2$/m);
    expect(stdout).toMatch(/^2$/m);
    expect(stdout).not.toMatch(/EGRESSTRATOR|CONSUL/i);
    const forTables = open(await imageWithProgram(lab, 'report', report.join('\n')), { xtables: true });
    expect((await forTables.testLoad(INSPECT)).stdout).toMatch(/^CapEff:\s+0000000000003000$/m);
  });

  test('a program that hangs is ended when its time is over', async () => {
    const hanging = await imageWithProgram(lab, 'hanging', 'trap "" TERM\nwhile :; do sleep 1; done');
    const dataplane = openDataplane(hanging, { limit: 1_000 });
    const id = await lab.start();
    const ref = await lab.namespaceOf(id);
    const before = performance.now();
    const failure = await failureOf(dataplane.load(ref, smallRuleset('12')));
    expect(failure.message).toContain('took longer than 1 s');
    expect(performance.now() - before).toBeLessThan(60_000);
    // It is gone by the time the answer comes, not some time later.
    expect(await helpers()).toBe('');
    expect((await lab.namespaceOf(id)).pid).toBe(ref.pid);
  });

  test('a program that talks too much', async () => {
    const talking = await imageWithProgram(lab, 'talking', 'yes | head -c 9000000');
    const ref = await lab.namespaceOf(await lab.start());
    expect((await failureOf(openDataplane(talking).inspect(ref, 'egress'))).message).toContain(
      'printed more than',
    );
  });

  test('long texts arrive whole, also where nobody reads them', async () => {
    const text = 'x'.repeat(6_000_000);
    const counting = open(await imageWithProgram(lab, 'counting', 'wc -c'));
    expect((await counting.testLoad(LOAD, text)).stdout.trim()).toBe('6000000');
    const deaf = open(await imageWithProgram(lab, 'deaf', 'exec <&-; echo done'));
    expect((await deaf.testLoad(LOAD, text)).stdout).toBe('done\n');
  });

  test('one that wants more memory than it may have', async () => {
    const elements = Array.from({ length: 20_000 }, (_, at) => `10.0.${at >> 8}.${at & 255} . tcp . 80,`);
    const set = 'set a { type ipv4_addr . inet_proto . inet_service; flags interval; elements = {';
    const text = `table inet egresstrator_egress {\n${set}\n${elements.join('\n')}\n} }\n}\n# end\n`;
    const failure = await failureOf(
      openDataplane(image, { memory: 6 * 2 ** 20 - 120 * text.length }).testLoad({
        ...smallRuleset(''),
        text,
      }),
    );
    expect(failure.message).toContain('it was killed, perhaps because it ran out of memory');
    await openDataplane().testLoad({ ...smallRuleset(''), text });
  });

  test('no helper image', async () => {
    const failure = await failureOf(openDataplane('egresstrator-lab/none:0').testLoad(smallRuleset('12')));
    expect(failure.message).toContain('the helper image was removed');
  });

  test('many at the same time, and nothing of them is left', async () => {
    const dataplane = openDataplane();
    const ids = await Promise.all(Array.from({ length: 6 }, () => lab.start('--network', 'none')));
    const refs = await Promise.all(ids.map((id) => lab.namespaceOf(id)));
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const jobs = refs.flatMap((ref, index) => [
      dataplane.load(ref, smallRuleset(`1${index}`)).then(({ fingerprint }) => fingerprint),
      failureOf(dataplane.load(ref, brokenRuleset)).then(({ exitCode }) => exitCode),
    ]);
    expect(await Promise.all(jobs)).toEqual(refs.flatMap((_, index) => [`1${index}`, 1]));
    await expect.poll(descriptors, { timeout: 60_000 }).toBeLessThanOrEqual(before);
  });

  test('what a crash left is removed when its time is over; what others use, or only looks like ours, is not', async () => {
    const [past, future] = [Date.now() - 1_000, Date.now() + 60_000];
    const create = (name: string, expiresAt: number) =>
      lab.engine.create(name, { Image: image, Labels: ourLabels('another', expiresAt) });
    const old = await create(ourName('helper'), past);
    const stay = [await create(ourName('helper'), future), await create(`test-${randomUUID()}`, past)];
    onTestFinished(async () => {
      for (const id of stay) await lab.engine.remove(id);
    });
    await open().removeLeftovers();
    await expect(lab.engine.inspect(old)).rejects.toMatchObject({ status: 404 });
    for (const id of stay) await lab.engine.inspect(id);
  });
});

test.each(ENGINES)(
  'an Engine %s that crashes while a helper works: an answer, and nothing left',
  async (version) => {
    const own = await startEngine({
      version,
      name: `crash-${version}`,
      daemonOptions: ['--live-restore'],
      diesWithParent: true,
    });
    onTestFinished(() => own.remove());
    const lab = await dockerLab(own.socketPath);
    const hanging = await imageWithProgram(lab, 'hanging', 'sleep 300');
    const runner = new HelperRunner(lab.engine, async () => hanging, { limit: 60_000 });
    const before = performance.now();
    const loading = runner.testLoad(LOAD, smallRuleset('12').text).catch((error: unknown) => error);
    const running = async () => (await lab.engine.running()).length;
    await expect.poll(running, { timeout: 60_000 }).toBe(1);
    await own.kill();
    expect(await loading).toBeInstanceOf(LoadError);
    expect(performance.now() - before).toBeLessThan(40_000);
    await own.start();
    await expect.poll(running, { timeout: 60_000 }).toBe(0);
    await runner.close();
  },
);

test('where the Engine maps users to others, the helper still is root of the namespace', async () => {
  const daemonOptions = ['--userns-remap=default'];
  const own = await startEngine({
    version: '20.10',
    name: 'docker-userns',
    daemonOptions,
    diesWithParent: true,
  });
  onTestFinished(() => own.remove());
  const lab = await dockerLab(own.socketPath);
  const image = await ensureTestImage(lab);
  const runner = new HelperRunner(lab.engine, async () => image);
  const id = await lab.start();
  expect(await lab.docker('exec', id, 'cat', '/proc/self/uid_map')).not.toMatch(/^\s*0\s+0\s/);
  const loaded = await createDataplane(runner).load(await lab.namespaceOf(id), smallRuleset('12ab'));
  expect(loaded).toMatchObject({ fingerprint: '12ab' });
  await runner.close();
});
