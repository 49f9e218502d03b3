/**
 * The gate on real Engines: no instruction of a workload's image gets a packet out before rules are there,
 * others notice nothing, and what cannot be protected does not start.
 *
 * GATE_STARTS says how often the first instruction is tried; default 10.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensureCompose } from '../../lab/compose.ts';
import { waitFor } from '../../lab/wait.ts';
import { installGate } from '../../src/gate/install.ts';
import { recordFolder } from '../../src/gate/names.ts';
import { GateRecords } from '../../src/gate/records.ts';
import { gateStatus, isWorking } from '../../src/gate/status.ts';
import { uninstallGate } from '../../src/gate/uninstall.ts';
import { CniNetwork } from '../support/cni.ts';
import { onEachEngine } from '../support/engines.ts';
import { type GateLab, openGateLab } from './gate-lab.ts';

const starts = Number(process.env.GATE_STARTS ?? 10);
/** Containers that start at once. */
const ABREAST = 4;

/** Tries the first instruction of so many containers, a few at a time. */
async function tryStarts(attempt: (index: number) => Promise<void>): Promise<void> {
  const indexes = Array.from({ length: starts }, (_, index) => index);
  const worker = async () => {
    for (let next = indexes.shift(); next !== undefined; next = indexes.shift()) await attempt(next);
  };
  await Promise.all(Array.from({ length: ABREAST }, worker));
}

const gate = ['--runtime', 'egresstrator', '--network', 'gate'];
const workload = [...gate, '-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'];

onEachEngine((version) => {
  let lab: GateLab;
  beforeAll(async () => {
    lab = await openGateLab(version);
  });
  afterAll(() => lab?.close());
  beforeEach(async () => {
    const left = await lab.docker('ps', '-aq', '--filter', 'label=test');
    if (left !== '') await lab.docker('rm', '-f', ...left.split('\n'));
    await lab.unprepare();
  });

  /** In lockdown nothing answers. As process 1 neither wget nor timeout would end at a signal. */
  const fetching = (url: string, limit: readonly string[] = []) => [...limit, 'wget', '-q', '-O', '-', url];
  const hurried = ['sh', '-c', 'timeout 1 "$@"; exit $?', 'sh'];
  /** Its program is the attempt itself: there is no instruction before it. */
  const first = (options: readonly string[], url: string, limit: readonly string[] = []) =>
    lab.try('run', '--rm', '--label', 'test', ...options, lab.image, ...fetching(url, limit));
  const start = (...args: string[]) => lab.docker('run', '-d', '--label', 'test', ...args);
  const records = () =>
    existsSync(recordFolder(lab.settings.runDir)) ? readdirSync(recordFolder(lab.settings.runDir)) : [];
  const recordOf = async (id: string) => {
    const [pid = '', startedAt = ''] = (
      await lab.docker('inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', id)
    ).split(' ');
    return new GateRecords(lab.settings.runDir).read({ id, pid: Number(pid), startedAt });
  };

  test('without the gate the first instruction gets through', async () => {
    expect((await first(['--network', 'gate'], lab.forbidden)).stdout).toBe('forbidden');
  });

  test(`with prepared rules no first instruction of ${starts} gets through, and what is granted works`, async () => {
    await lab.prepare();
    const before = await lab.hits();
    await tryStarts(async () => {
      const { exitCode, stdout } = await first(workload, lab.forbidden);
      expect([exitCode, stdout]).toEqual([1, '']);
    });
    expect(await lab.hits()).toBe(before);
    expect((await first(workload, lab.allowed)).stdout).toBe('allowed');
    expect(records()).toEqual([]);
  }, 600_000);

  test(`in lockdown no first instruction of ${starts} gets anywhere`, async () => {
    const before = await lab.hits();
    await tryStarts(async (index) => {
      const url = index % 2 === 0 ? lab.forbidden : lab.allowed;
      const { exitCode, stdout } = await first(workload, url, hurried);
      expect([exitCode === 0, stdout]).toEqual([false, '']);
    });
    expect(await lab.hits()).toBe(before);
  }, 600_000);

  test('what was loaded is on record for that start', async () => {
    const fingerprint = await lab.prepare();
    const id = await start(...workload, lab.image);
    expect(await recordOf(id)).toMatchObject({ fingerprint, kind: 'prepared', reason: undefined });
    await lab.unprepare();
    await lab.docker('restart', '-t', '0', id);
    expect(await recordOf(id)).toMatchObject({ kind: 'lockdown', reason: 'no prepared rules' });
    await lab.docker('rm', '-f', id);
    expect(records()).toEqual([]);
  });

  test('nobody reaches a container with ingress keys before it is known who may', async () => {
    const url = 'http://172.31.77.20/';
    const serving = ['--ip', '172.31.77.20', lab.image, 'sh', '-c', 'echo hi >index.html && exec httpd -f'];
    const call = () => first(['--network', 'gate'], url, hurried);
    const open = await start(...gate, ...serving);
    await vi.waitFor(async () => expect((await call()).stdout).toBe('hi'), { timeout: 60_000 });
    await lab.docker('rm', '-f', open);
    const closed = await start(...gate, '-e', 'EGRESSTRATOR_INGRESS=web', ...serving);
    expect(await lab.tables(closed)).toContain('table inet egresstrator_ingress');
    expect((await call()).stdout).toBe('');
  });

  test('labels count, though no bundle holds them, and the variable before them', async () => {
    await lab.prepare();
    const labels = ['--label', 'egresstrator.enable=1', '--label', 'egresstrator.acl=db'];
    expect((await first([...gate, ...labels], lab.forbidden)).stdout).toBe('');
    expect((await first([...gate, ...labels], lab.allowed)).stdout).toBe('allowed');
    expect((await first([...gate, ...labels, '-e', 'EGRESSTRATOR_ENABLE=0'], lab.forbidden)).stdout).toBe(
      'forbidden',
    );
  });

  test('audit lets pass, and is loaded all the same', async () => {
    const fingerprint = await lab.prepare('audit');
    const audit = [...workload, '-e', 'EGRESSTRATOR_MODE=audit'];
    expect((await first(audit, lab.forbidden)).stdout).toBe('forbidden');
    expect(await recordOf(await start(...audit, lab.image))).toMatchObject({ fingerprint });
  });

  describe('CAP_NET_RAW', () => {
    const bounding = [
      'sh',
      '-c',
      'grep CapBnd /proc/self/status; ping -c1 -W1 127.0.0.1 >/dev/null; echo $?',
    ];
    const NET_RAW = 0x2000n;
    const hasRaw = (status: string) => (BigInt(`0x${/CapBnd:\s+(\w+)/.exec(status)?.[1]}`) & NET_RAW) !== 0n;
    const tried = async (options: readonly string[]) => {
      const id = await start(...options, lab.image);
      const before = await lab.docker('exec', id, 'cat', '/proc/1/status');
      const executed = await lab.docker('exec', id, ...bounding);
      const record = await recordOf(id);
      return { runs: hasRaw(before), executed: hasRaw(executed), record: record?.hasRawSockets };
    };

    test('is taken from a workload, and from what is executed in it', async () => {
      expect(await tried(workload)).toEqual({ runs: false, executed: false, record: false });
    });

    /** The kernel's own answer to a process that asks for a socket of AF_XDP, which no rule can bind. */
    test('so that no AF_XDP socket opens, by the first instruction or by one that is executed', async () => {
      await lab.prepare();
      // By the Perl of this machine.
      const folders = ['/usr', '/lib', '/lib64'].flatMap((path) => ['--volume', `${path}:${path}:ro`]);
      const program = 'use Socket; print socket(my $s, 44, SOCK_RAW, 0) ? "opened" : $!';
      const open = (...options: readonly string[]) =>
        lab.try(...options, '/usr/bin/perl', '-e', program).then(({ stdout, stderr }) => stdout + stderr);
      const run = ['run', '--rm', '--label', 'test', ...folders];
      expect(await open(...run, ...gate, lab.image)).toBe('opened');
      expect(await open(...run, ...workload, lab.image)).toBe('Operation not permitted');
      const id = await start(...folders, ...workload, lab.image, 'sleep', '1000');
      expect(await open('exec', id)).toBe('Operation not permitted');
    });

    test('is left to one that was given it', async () => {
      const all = { runs: true, executed: true, record: true };
      expect(await tried([...workload, '--cap-add', 'NET_RAW'])).toEqual(all);
    });

    test('is left to others', async () => {
      expect(await tried(gate)).toEqual({ runs: true, executed: true, record: undefined });
    });
  });

  test('an image cannot talk its container out of rules', async () => {
    await lab.prepare('audit');
    const dockerfile = join(lab.settings.runDir, 'Dockerfile');
    const says = ['ENABLE=0', 'ACL=all', 'MODE=audit'].map((word) => `ENV EGRESSTRATOR_${word}\n`).join('');
    writeFileSync(dockerfile, `FROM ${lab.image}\n${says}`);
    await lab.docker('build', '-q', '-t', 'gate-sly', '-f', dockerfile, lab.settings.runDir);
    const labels = ['--label', 'test', '--label', 'egresstrator.enable=1', '--label', 'egresstrator.acl=db'];
    const started = await start(...gate, ...labels, 'gate-sly');
    expect(await recordOf(started)).toMatchObject({ kind: 'lockdown', reason: 'no prepared rules' });
    const id = await start(...workload, 'gate-sly');
    expect(await recordOf(id)).toMatchObject({ kind: 'lockdown', reason: 'no prepared rules' });
    const fingerprint = await lab.prepare();
    await lab.docker('restart', '-t', '0', id);
    expect(await recordOf(id)).toMatchObject({ kind: 'prepared', fingerprint });
  });

  test('of a resolv.conf that root inside can write to, only the given resolvers are allowed', async () => {
    await lab.prepare();
    const file = join(lab.settings.runDir, 'resolv.conf');
    writeFileSync(file, 'nameserver 192.0.2.53\n');
    const id = await start(...workload, '--dns', '192.0.2.53', '-v', `${file}:/etc/resolv.conf`, lab.image);
    await lab.docker('exec', id, 'sh', '-c', 'echo nameserver 203.0.113.9 >>/etc/resolv.conf');
    await lab.docker('restart', '-t', '0', id);
    expect(await lab.docker('exec', id, 'cat', '/etc/resolv.conf')).toContain('203.0.113.9');
    expect((await recordOf(id))?.resolvers).toEqual(['192.0.2.53']);
  });

  test('others pass untouched', async () => {
    const id = await start(...gate, '-e', 'FOO=EGRESSTRATOR_ENABLE=1', lab.image);
    expect(await lab.tables(id)).not.toContain('egresstrator');
    expect(await lab.docker('exec', id, ...fetching(lab.forbidden))).toBe('forbidden');
    expect(records()).toEqual([]);
  });

  test('prepared rules that are cut short never load', async () => {
    await lab.prepare();
    const folder = join(lab.settings.runDir, 'prepared');
    const file = join(folder, readdirSync(folder).find((name) => name.endsWith('.nft')) ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/# end\n$/, ''));
    const id = await start(...workload, lab.image);
    expect(await recordOf(id)).toMatchObject({
      kind: 'lockdown',
      reason: expect.stringContaining('cut short'),
    });
  });

  test('names resolve from the first instruction on', async () => {
    await lab.prepare();
    expect((await first(workload, 'http://allowed/')).stdout).toBe('allowed');
  });

  describe('every kind of start', () => {
    const script = (url: string) => ['sh', '-c', `wget -q -O - ${url} && echo THROUGH; exit 1`];

    test('restart policies and crash loops', async () => {
      await lab.prepare();
      const before = await lab.hits();
      const id = await start(...workload, '--restart', 'on-failure:4', lab.image, ...script(lab.forbidden));
      const count = async () => Number(await lab.docker('inspect', '-f', '{{.RestartCount}}', id));
      await vi.waitFor(async () => expect(await count()).toBe(4), 60_000);
      await lab.docker('wait', id);
      expect(await lab.docker('logs', id)).toBe('');
      expect(await lab.hits()).toBe(before);
      expect(records()).toEqual([]);
    });

    test('docker create, start, restart', async () => {
      await lab.prepare();
      const id = await lab.docker('create', '--label', 'test', ...workload, lab.image);
      for (const verb of ['start', 'restart', 'restart']) {
        await lab.docker(verb, ...(verb === 'restart' ? ['-t', '0'] : []), id);
        expect(await recordOf(id)).toMatchObject({ kind: 'prepared' });
        expect(await lab.tables(id)).toContain('table inet egresstrator_egress');
      }
    });

    test('compose', async () => {
      await lab.prepare();
      const compose = await ensureCompose();
      const file = join(lab.settings.runDir, 'compose.json');
      const app = {
        image: lab.image,
        runtime: 'egresstrator',
        labels: ['test'],
        environment: { EGRESSTRATOR_ENABLE: '1', EGRESSTRATOR_ACL: 'db' },
        command: script(lab.forbidden),
        networks: ['gate'],
      };
      writeFileSync(file, JSON.stringify({ services: { app }, networks: { gate: { external: true } } }));
      const run = (...args: string[]) =>
        compose.run(lab.engine.socketPath, ['-p', 'gate', '-f', file, ...args]);
      const before = await lab.hits();
      await run('up', '-d');
      await run('restart', '-t', '0');
      await run('down', '-t', '0');
      expect(await lab.hits()).toBe(before);
    });
  });

  describe('namespaces', () => {
    const joining = (owner: string) => [
      '--runtime',
      'egresstrator',
      '--network',
      `container:${owner}`,
      '-e',
      'EGRESSTRATOR_ENABLE=1',
    ];

    test("the host's is never touched", async () => {
      const options = ['--runtime', 'egresstrator', '--network', 'host', '-e', 'EGRESSTRATOR_ENABLE=1'];
      const id = await start(...options, lab.image);
      expect(await lab.tables(id)).not.toContain('egresstrator');
      expect(records()).toEqual([]);
    });

    test('one that holds rules keeps them when another workload joins', async () => {
      await lab.prepare();
      const owner = await start(...workload, lab.image);
      const joiner = await start(...joining(owner), lab.image);
      expect(await lab.docker('exec', joiner, ...fetching(lab.allowed))).toBe('allowed');
      expect((await recordOf(owner))?.kind).toBe('prepared');
      expect((await recordOf(joiner))?.kind).toBe('existing-namespace');
    });

    test("one with no network of Docker's holds rules before a network comes", async () => {
      const options = ['--runtime', 'egresstrator', '--network', 'none', '-e', 'EGRESSTRATOR_ENABLE=1'];
      const id = await start(...options, lab.image);
      expect(await lab.tables(id)).toContain('table inet egresstrator_egress');
      expect(await recordOf(id)).toMatchObject({ kind: 'lockdown' });
    });

    test('one that CNI plugins gave a network holds rules before the first instruction of a task', async () => {
      await using network = await CniNetwork.on(lab.engine);
      const attached = async (...command: string[]) => {
        const id = await start('--network', 'none', lab.image, ...command);
        return {
          id,
          ...(await network.attach(id, Number(await lab.docker('inspect', '-f', '{{.State.Pid}}', id)))),
        };
      };
      const serving = 'mkdir -p /www && echo open >/www/index.html && exec httpd -f -h /www';
      const server = `http://${(await attached('sh', '-c', serving)).ipv4}/`;
      const pause = await attached();
      const joined = ['--network', `container:${pause.id}`];
      const answers = async () => (await first(joined, server, hurried)).stdout === 'open';
      await waitFor(answers, { what: 'the server to answer where there are no rules' });
      expect((await first(joining(pause.id), server, hurried)).stdout).toBe('');
      expect(await lab.tables(pause.id)).toContain('table inet egresstrator_egress');
    });

    test('one that holds none gets those of the workload that joins', async () => {
      const owner = await start('--network', 'gate', lab.image);
      const joiner = await start(...joining(owner), lab.image);
      expect((await lab.try('exec', owner, ...fetching(lab.forbidden, hurried))).stdout).toBe('');
      expect(records()).toEqual([joiner]);
    });

    test('one with loopback alone', async () => {
      const id = await start(
        '--runtime',
        'egresstrator',
        '--network',
        'none',
        '-e',
        'EGRESSTRATOR_ENABLE=1',
        lab.image,
      );
      expect(await lab.tables(id)).toContain('table inet egresstrator_egress');
    });
  });

  describe('what cannot be protected does not start', () => {
    const runtime = () => join(lab.settings.libDir, 'runtime');
    /** The gate finds these tools before the host's own. */
    const withTools = (tools: Readonly<Record<string, string>>, limit = 10) => {
      const folder = join(lab.settings.runDir, `tools-${Object.keys(tools).join('-')}-${limit}`);
      writeTools(folder, tools);
      const text = readFileSync(runtime(), 'utf8');
      writeFileSync(
        runtime(),
        text
          .replace(/^tools=.*$/m, `tools=${folder}:/usr/sbin:/usr/bin:/sbin:/bin`)
          .replace(/^limit=.*$/m, `limit=${limit}`),
      );
    };
    afterAll(async () => {
      await installGate(lab.settings, false);
    });

    test('for lack of nft; it can be started later', async () => {
      withTools({ nft: 'echo "nft: not found" >&2; exit 127' });
      const { exitCode, stderr } = await lab.try(
        'run',
        '--name',
        'later',
        '--label',
        'test',
        ...workload,
        lab.image,
      );
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(
        /egresstrator gate: could not load rules for container [0-9a-f]{64}: .*not found/,
      );
      expect(await lab.docker('inspect', '-f', '{{.State.Running}} {{.State.Pid}}', 'later')).toBe('false 0');
      expect((await first(gate, lab.forbidden)).stdout).toBe('forbidden');
      await installGate(lab.settings, false);
      await lab.docker('start', 'later');
      expect(await lab.tables('later')).toContain('egresstrator');
    });

    test('as loading hangs', async () => {
      withTools({ nft: 'exec sleep 300' }, 1);
      const from = performance.now();
      const { exitCode, stderr } = await lab.try('run', '--label', 'test', ...workload, lab.image);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('no answer within 1 s');
      expect(performance.now() - from).toBeLessThan(60_000);
    });

    test('as nobody can tell what it asks for', async () => {
      withTools({ awk: 'exit 2' });
      expect((await lab.try('run', '--label', 'test', ...workload, lab.image)).stderr).toContain(
        'awk failed',
      );
    });
  });

  describe('as the default runtime', () => {
    test('it takes all containers, and lets those pass that ask for nothing', async () => {
      await lab.prepare();
      expect(await installGate(lab.settings, true)).toEqual([
        expect.stringContaining('daemon.json'),
        expect.stringContaining('all containers'),
      ]);
      expect(await installGate(lab.settings, true)).toEqual([]);
      const status = await gateStatus(lab.settings);
      expect([isWorking(status), status.isDefault, status.preparedTexts]).toEqual([true, true, 1]);
      const plain = workload.slice(2);
      expect((await first(plain, lab.forbidden)).stdout).toBe('');
      expect(await first(plain, lab.allowed)).toMatchObject({ stdout: 'allowed' });
      expect((await first(['--network', 'gate'], lab.forbidden)).stdout).toBe('forbidden');
    });

    test('images are built through it', async () => {
      const dockerfile = join(lab.settings.runDir, 'Dockerfile');
      writeFileSync(dockerfile, `FROM ${lab.image}\nRUN echo built > /built\n`);
      await lab.docker('build', '-q', '-t', 'gate-built', '-f', dockerfile, lab.settings.runDir);
      expect(await lab.docker('run', '--rm', 'gate-built', 'cat', '/built')).toBe('built');
    });
  });

  // Near the end, so that nothing else depends on servers whose Engine was killed.
  test('the Engine killed and started again', async () => {
    await lab.prepare();
    const id = await start(...workload, '--restart', 'always', lab.image);
    await lab.engine.kill();
    await lab.engine.start();
    await lab.serveAgain();
    const isRunning = async () =>
      expect(await lab.docker('inspect', '-f', '{{.State.Running}}', id)).toBe('true');
    await vi.waitFor(isRunning, 60_000);
    await vi.waitFor(async () => expect(await recordOf(id)).toMatchObject({ kind: 'prepared' }), 60_000);
    expect(await lab.tables(id)).toContain('table inet egresstrator_egress');
  });

  describe('uninstall', () => {
    test('is refused while containers could not be started any more', async () => {
      await lab.docker('create', '--name', 'user', '--label', 'test', ...workload, lab.image);
      await expect(uninstallGate(lab.settings, false)).rejects.toThrow(/could not start again: user; /);
    });

    test('leaves everything as it was, to the byte', async () => {
      const { engine, settings, configBefore } = lab;
      const changes = await uninstallGate(settings, false);
      expect(changes).toHaveLength(3);
      expect(readFileSync(engine.configFile, 'utf8')).toBe(configBefore);
      expect([existsSync(settings.libDir), existsSync(`${engine.configFile}.before-egresstrator`)]).toEqual([
        false,
        false,
      ]);
      expect(await lab.docker('info', '-f', '{{.DefaultRuntime}}')).toBe('runc');
      expect((await lab.try('run', '--rm', ...gate, lab.image, 'true')).exitCode).not.toBe(0);
      expect(await uninstallGate(settings, false)).toEqual([]);
      expect((await gateStatus(settings)).installed).toBe(false);
    });

    test('keeps what somebody else changed meanwhile', async () => {
      const { engine, settings } = lab;
      await installGate(settings, true);
      const text = readFileSync(engine.configFile, 'utf8');
      writeFileSync(engine.configFile, text.replace('"a=b"', '"a=b", "c=d"'));
      await uninstallGate(settings, false);
      expect(readFileSync(engine.configFile, 'utf8')).toBe(lab.configBefore.replace('"a=b"', '"a=b", "c=d"'));
    });

    test('with --force, the running are still ended, and the file goes when they are', async () => {
      const { settings } = lab;
      await installGate(settings, false);
      const id = await start(...gate, lab.image);
      expect((await uninstallGate(settings, true)).at(-1)).toMatch(/^left .*run this again later$/);
      await lab.docker('rm', '-f', id);
      expect(await uninstallGate(settings, false)).toEqual([`removed ${settings.libDir}`]);
    });
  });

  test('a host that does not take the rules keeps nothing of the gate', async () => {
    const root = mkdtempSync(join(lab.settings.runDir, 'root-'));
    const libDir = `${lab.settings.libDir}-refused`;
    const before = readFileSync(lab.engine.configFile, 'utf8');
    // Seen without its /proc.
    await execa('mount', ['--bind', '/', root]);
    try {
      await expect(installGate({ ...lab.settings, root, libDir }, false)).rejects.toThrow(
        /rejects the gate's rules, so nothing was changed/,
      );
    } finally {
      await execa('umount', [root]);
    }
    expect(existsSync(libDir)).toBe(false);
    expect(readFileSync(lab.engine.configFile, 'utf8')).toBe(before);
  });

  test('a daemon.json that is no JSON is not touched', async () => {
    const { engine, settings } = lab;
    writeFileSync(engine.configFile, '{"debug": false,}');
    await expect(installGate(settings, false)).rejects.toThrow(
      /daemon\.json is not valid JSON at position 16/,
    );
    expect(readFileSync(engine.configFile, 'utf8')).toBe('{"debug": false,}');
    writeFileSync(engine.configFile, lab.configBefore);
  });
});

function writeTools(folder: string, tools: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, script] of Object.entries(tools))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
