/**
 * The controller in trouble: killed at any moment, its disk full or its memory of before damaged, its
 * containers gone or replaced under its hands, fifty of them at once, its tables altered.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type LogLine, RunningController } from '../support/egresstrator.ts';
import { footprint, nothingLeaked, pidOf } from '../support/footprint.ts';
import { Guard } from '../support/guard.ts';
import { handles, inside, ourTables } from '../support/kernel.ts';
import { becomes, control, ipv4, openStage, putKey, type Stage, summary } from '../support/stage.ts';
import { connects, type Workload } from '../support/workloads.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('20.10');
});
afterAll(() => stage?.[Symbol.asyncDispose]());

/** On its own path, as each test has a controller of its own. */
const argsFor = (path: string, loader: string) => [
  ...['-c', stage.consul.address, '-k', `${path}/`, '-i', stage.image, '--register', 'none'],
  ...['--loader', loader, '--drift-interval', '1'],
];

const edit = (path: string, ...ports: readonly number[]) =>
  putKey(stage, `${path}/db`, `${ipv4(stage.server)}:tcp/${ports.join()}`);

async function protect(name: string, acl = 'db'): Promise<Workload> {
  const workload = await stage.workloads.run(name, { acl });
  await becomes(workload, ipv4(stage.server), 81, 'refused');
  await becomes(workload, ipv4(stage.server), 80, 'ok');
  return workload;
}

/** The other server's port is never allowed, port 80 of the server always. */
function guardOver(...workloads: readonly Workload[]): Guard {
  const denied = [{ protocol: 'tcp', address: ipv4(stage.other), port: 80 }] as const;
  const allowed = [{ protocol: 'tcp', address: ipv4(stage.server), port: 80 }] as const;
  return new Guard(workloads.map((workload) => ({ workload, denied, allowed })));
}

/** Waits until no container whose name begins like one of these is known any more. */
async function forgotten(controller: RunningController, ...names: readonly string[]): Promise<void> {
  const isOne = ({ target }: { readonly target: string }) =>
    names.some((name) => target.startsWith(stage.workloads.nameOf(name)));
  const gone = async () => !(await controller.status()).namespaces.some(isOne);
  await waitFor(gone, { what: `${names} to be forgotten`, timeout: 20_000 });
}

async function unharmed(guard: Guard): Promise<void> {
  const { breaches, losses } = await guard.stop();
  expect({ breaches, losses }).toEqual({ breaches: [], losses: [] });
}

describe.each(['nsenter', 'helper'])('killed, loading by %s', (loader) => {
  test('at random moments of its work: each next one goes on where it was', async () => {
    const path = `killed-${loader}`;
    await edit(path, 80);
    const first = await control(stage, `${path}/`, argsFor(path, loader));
    const workload = await protect(path);
    await using guard = guardOver(workload);
    const { folder } = first;
    let controller = first;
    for (let round = 0; round < 6; round += 1) {
      const edits = [edit(path, 80, 81), sleep(40).then(() => edit(path, 80))];
      await sleep(Math.random() * 400);
      await controller.stop('SIGKILL');
      await Promise.all(edits);
      controller = new RunningController({ engine: stage.engine, folder, args: argsFor(path, loader) });
      await sleep(round % 2 === 0 ? Math.random() * 1_500 : 0);
      if (round % 2 === 1) await controller.ready();
    }
    await controller.ready();
    await becomes(workload, ipv4(stage.server), 81, 'refused');
    await edit(path, 80, 81);
    await becomes(workload, ipv4(stage.server), 81, 'ok');
    await edit(path, 80);
    await becomes(workload, ipv4(stage.server), 81, 'refused');
    await unharmed(guard);
    expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
    await stage.workloads.remove(workload);
    await controller[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('its state folder', () => {
  test('is full: it goes on, says so once, and writes again when there is room', async () => {
    const path = 'full';
    await edit(path, 80);
    await using first = await control(stage, `${path}/`, argsFor(path, 'nsenter'));
    const { folder } = first;
    await first.stop();
    const state = join(folder, 'state');
    rmSync(state, { recursive: true, force: true });
    await mkdir(state);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', state]);
    try {
      await using controller = new RunningController({
        engine: stage.engine,
        folder,
        args: argsFor(path, 'nsenter'),
      });
      await controller.ready();
      const workload = await protect('full');
      const filler = join(state, 'filler');
      await execa('sh', ['-c', `cat /dev/zero >"${filler}" || true`], { reject: false });
      await using guard = guardOver(workload);
      await edit(path, 80, 81);
      await becomes(workload, ipv4(stage.server), 81, 'ok');
      await edit(path, 80);
      await becomes(workload, ipv4(stage.server), 81, 'refused');
      const complaints = () => controller.log.filter(({ msg }) => msg.includes('could not be kept on disk'));
      expect(complaints()).toHaveLength(1);
      await putKey(stage, `${path}/other`, '# the last edit before there is room');
      await waitFor(async () => (await controller.status()).sources.every(({ known }) => known), {
        what: 'the edit to be read',
      });
      rmSync(filler);
      const kept = () => readText(join(state, 'known.json')).includes('before there is room');
      await waitFor(kept, { what: 'the state to be written', timeout: 20_000 });
      await unharmed(guard);
      await stage.workloads.remove(workload);
    } finally {
      await execa('umount', ['--lazy', state]);
    }
  });

  test.each([
    ['damaged', (text: string) => text.replace('tcp/80', 'tcp/81')],
    ['cut short', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['from a newer version', (text: string) => text.replace('"version":1', '"version":2')],
  ])('is %s: it warns, and what is loaded stays', async (what, damage) => {
    const path = `state-${what.replaceAll(' ', '-')}`;
    await edit(path, 80);
    await using first = await control(stage, `${path}/`, argsFor(path, 'nsenter'));
    const workload = await protect(path);
    await first.stop('SIGKILL');
    const file = join(first.folder, 'state', 'known.json');
    const text = readText(file);
    expect(damage(text)).not.toBe(text);
    writeFileSync(file, damage(text));
    await using guard = guardOver(workload);
    const loaded = await handles(workload.pid);
    const away = [...argsFor(path, 'nsenter'), '-c', '127.0.0.1:1'];
    const second = new RunningController({ engine: stage.engine, folder: first.folder, args: away });
    await second.logged(({ level, msg }) => level === 'warn' && /can not be used/.test(msg), 'a warning');
    await second.logged(({ msg }) => /rules of before stay/.test(msg), 'that rules stay');
    expect(await handles(workload.pid)).toBe(loaded);
    await second.stop('SIGKILL');
    await unharmed(guard);
    await stage.workloads.remove(workload);
  });
});

describe.each(['nsenter', 'helper'])('containers come and go, loading by %s', (loader) => {
  const path = `crowd-${loader}`;
  let controller: RunningController;
  beforeAll(async () => {
    await edit(path, 80);
    controller = await control(stage, `${path}/`, argsFor(path, loader));
  });
  afterAll(() => controller?.[Symbol.asyncDispose]());

  test('one that dies while its job waits or runs is no failure, and leaves nothing', async () => {
    const workload = await protect(`stays-${loader}`);
    const before = await footprint(controller, stage.workloads);
    const lines = controller.log.length;
    await using guard = guardOver(workload);
    const shortLives = Array.from({ length: 10 }, async (_, index) => {
      const id = await stage.workloads.start(`dies-${loader}-${index}`, { acl: 'db' });
      await sleep(index * 25);
      await stage.workloads.must('rm', '--force', id);
    });
    const crashing = await stage.workloads.start(`crashes-${loader}`, {
      acl: 'db',
      args: ['--restart', 'always'],
      command: ['usleep', '50000'],
    });
    await Promise.all(shortLives);
    await stage.workloads.must('rm', '--force', crashing);
    await unharmed(guard);
    await forgotten(controller, 'dies-', 'crashes-');
    await nothingLeaked(before, controller, stage.workloads);
    const failures = controller.log.slice(lines).filter(({ level }) => level === 'error');
    expect(failures.map(({ msg, error }) => `${msg}: ${error}`)).toEqual([]);
    await stage.workloads.remove(workload);
  });

  test('tables that are altered by hand are put right', async () => {
    const workload = await protect(`altered-${loader}`);
    const nft = (...words: readonly string[]) =>
      execa('nsenter', [...inside(workload.pid).slice(1), 'nft', ...words]);
    // What the kernel holds after a load is learned by the comparison that follows it.
    const compared = ({ msg, container }: LogLine) =>
      msg === 'rules are in place' && container === workload.name;
    const settled = () => controller.logged(compared, 'a comparison', controller.log.length);
    await settled();
    const hole = `{ ${ipv4(stage.server)} . tcp . 81 }`;
    await nft('add', 'element', 'inet', 'egresstrator', 'allowed4', hole);
    await becomes(workload, ipv4(stage.server), 81, 'ok');
    await becomes(workload, ipv4(stage.server), 81, 'refused');
    await settled();
    await nft('insert', 'rule', 'inet', 'egresstrator', 'output', 'accept');
    await becomes(workload, ipv4(stage.server), 81, 'refused');
    await settled();
    await nft('delete', 'table', 'netdev', 'egresstrator');
    const both = async () => (await ourTables(inside(workload.pid))).length === 2;
    await waitFor(both, { what: 'the table of devices to be back', timeout: 10_000 });
    const reports = controller.log.filter(({ msg }) => msg === 'rules in the kernel were altered');
    expect(reports.length).toBeGreaterThanOrEqual(3);
    await stage.workloads.remove(workload);
  });
});

test('a pid that is reused by another process leads into no foreign namespace', async () => {
  const path = 'reused';
  await edit(path, 80);
  await using controller = await control(stage, `${path}/`, argsFor(path, 'nsenter'));
  const { workloads, server, other } = stage;
  const workload = await protect('reused');
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
  await edit(path, 80, 81);
  process.kill(pid, 'SIGCONT');
  await forgotten(controller, 'reused');
  for (const one of [other, server]) expect(await ourTables(inside(one.pid))).toEqual([]);
  expect(await ourTables(stage.engine.networkPrefix)).toEqual([]);
  process.stdout.write(
    `pid ${workload.pid} was reused: ${String(line ?? '').trim() === String(workload.pid)}\n`,
  );
  reuse.kill('SIGKILL');
  await stage.workloads.remove(workload);
});

test('fifty containers started at once are all protected, and leave nothing', async () => {
  const path = 'fifty';
  await edit(path, 80);
  await using controller = await control(stage, `${path}/`, argsFor(path, 'auto'));
  const before = await footprint(controller, stage.workloads);
  const names = Array.from({ length: 50 }, (_, index) => `fifty-${index}`);
  await Promise.all(names.map((name) => stage.workloads.start(name, { acl: 'db' })));
  const started = performance.now();
  const allProtected = async () => {
    const { namespaces } = await controller.status();
    const ours = namespaces.filter(({ target }) => target.startsWith(stage.workloads.nameOf('fifty-')));
    return ours.filter(({ state }) => state === 'protected').length === names.length;
  };
  await waitFor(allProtected, { what: 'all fifty to be protected', timeout: 60_000 });
  summary('fifty containers: last start to all protected', [performance.now() - started]);
  for (const name of ['fifty-0', 'fifty-25', 'fifty-49']) {
    const workload = await stage.workloads.find(name);
    expect(await connects(workload, ipv4(stage.server), 80)).toBe('ok');
    expect(await connects(workload, ipv4(stage.server), 81)).toBe('refused');
  }
  await stage.workloads.must('rm', '--force', ...names.map((name) => stage.workloads.nameOf(name)));
  await forgotten(controller, 'fifty-');
  await nothingLeaked(before, controller, stage.workloads);
  expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
