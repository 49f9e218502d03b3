/**
 * networks.json on real Engines: networks, static addresses, who may reach whom past Docker's own drops, and ports of a
 * container that lead elsewhere; live, and again after a container was started again.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli, startController } from '../support/egresstrator.ts';
import { engineName, onEachEngine } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type Workload, Workloads } from '../support/workloads.ts';

const WEB = '172.31.103.2';
const PROXY = '172.31.104.2';

onEachEngine((version) => {
  let consul: Consul;
  let engine: OwnEngine;
  let workloads: Workloads;
  let controller: RunningController;
  let folder: string;
  let image: string;
  let web: Workload;
  let proxy: Workload;
  let vpn: Workload;
  let caller: Workload;

  const named = (name: string) => `${workloads.prefix}-${name}`;

  const fileWith = (...policies: readonly object[]) => ({
    networks: {
      front: { network_name: named('front'), subnet: '172.31.104.0/24', gateway: '172.31.104.1' },
      back: { network_name: named('back'), subnet: '172.31.103.0/24', gateway: '172.31.103.1' },
    },
    ips: {
      web: { ip: WEB, container_name: named('web'), selector: 'web' },
      proxy: { ip: PROXY, container_name: named('proxy'), selector: 'proxy' },
    },
    policies,
  });

  const PERMIT = { selector: 'web', from: 'proxy', port: 80, proto: 'tcp' };
  const INNER = () => ({ name: named('vpn'), nat: 'dnat', to: 'web', port: 90, to_port: 80, proto: 'tcp' });

  const write = (file: object): void => {
    const path = join(folder, 'networks.json');
    writeFileSync(`${path}.new`, JSON.stringify(file, null, 2));
    renameSync(`${path}.new`, path);
  };

  const reach = async (from: Workload, address: string, port: number, timeout = 1_500): Promise<string> =>
    (await from.probe.reach({ protocol: 'tcp', address, port }, timeout)).outcome;

  /** The same where an answer is expected, which may take longer on a busy machine. */
  const answers = (from: Workload, address: string, port: number): Promise<string> =>
    reach(from, address, port, 15_000);

  const becomes = (what: string, look: () => Promise<boolean>) =>
    waitFor(look, { what, timeout: 60_000, interval: 50 });

  const reached = (from: Workload, address: string, port: number) =>
    becomes(
      `${from.name} to reach ${address}:${port}`,
      async () => (await reach(from, address, port)) === 'ok',
    );

  const unreached = (from: Workload, address: string, port: number) =>
    becomes(
      `${from.name} not to reach ${address}:${port}`,
      async () => (await reach(from, address, port)) !== 'ok',
    );

  const silent = (from: Workload, flow: number) =>
    becomes(
      `a connection of ${from.name} to end`,
      async () => (await from.probe.flow(flow)).silentFor > 1_000,
    );

  const inspected = async (format: string, name: string): Promise<string> =>
    (await workloads.docker('inspect', '--format', format, name)).stdout.trim();

  const problems = async (): Promise<readonly string[]> => {
    const { stdout } = await runCli(['host', 'status', '--json', '--socket', controller.socket]);
    const status: { problems: readonly { reason: string }[] } = JSON.parse(stdout);
    return status.problems.map(({ reason }) => reason);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'egresstrator-networks-'));
    consul = await startConsul();
    engine = await startEngine({ version, name: engineName(`file-${version}`), diesWithParent: true });
    image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    web = await workloads.run('web');
    proxy = await workloads.run('proxy');
    vpn = await workloads.run('vpn', { network: await workloads.network('other') });
    await web.probe.serve([80, 81]);
    write(fileWith(PERMIT, INNER()));
    controller = await startController({
      engine,
      args: ['-i', image, '-c', consul.address, '--networks', join(folder, 'networks.json')],
    });
  });
  afterAll(async () => {
    await controller[Symbol.asyncDispose]();
    await workloads.docker('network', 'rm', named('front'), named('back'));
    await workloads[Symbol.asyncDispose]();
    await consul.stop();
    await engine.remove();
    rmSync(folder, { recursive: true });
  });

  test('networks are made and containers attached', async () => {
    await becomes('web and proxy to be attached', async () =>
      [
        await inspected('{{json .NetworkSettings.Networks}}', web.name),
        await inspected('{{json .NetworkSettings.Networks}}', proxy.name),
      ].every((text, index) => text.includes([WEB, PROXY][index] ?? '-')),
    );
    const config = await inspected('{{json .IPAM.Config}}', named('back'));
    expect(JSON.parse(config)).toEqual([{ Subnet: '172.31.103.0/24', Gateway: '172.31.103.1' }]);
    expect(await problems()).toEqual([]);
  });

  test('a permitted call passes, and no other', async () => {
    await reached(proxy, WEB, 80);
    expect(await reach(proxy, WEB, 81)).not.toBe('ok');
    expect(await reach(vpn, WEB, 81)).not.toBe('ok');
  });

  test('a port of a container leads to another, again after it was started again', async () => {
    const at = (one: Workload) => one.addresses[named('other')]?.ipv4 ?? '';
    caller = await workloads.run('caller', { network: named('other') });
    await reached(caller, at(vpn), 90);
    await workloads.must('restart', '--time', '0', vpn.name);
    vpn = await workloads.find('vpn');
    await reached(caller, at(vpn), 90);
  });

  test('what the file says later counts at once, and what it does not say any more is gone', async () => {
    write(fileWith(PERMIT, { ...PERMIT, port: 81 }, INNER()));
    await reached(proxy, WEB, 81);
    const at = vpn.addresses[named('other')]?.ipv4 ?? '';
    const permitted = await proxy.probe.keep({ protocol: 'tcp', address: WEB, port: 80 });
    const led = await caller.probe.keep({ protocol: 'tcp', address: at, port: 90 });
    const other = await proxy.probe.keep({ protocol: 'tcp', address: WEB, port: 81 });
    write(fileWith({ ...PERMIT, port: 81 }));
    await unreached(proxy, WEB, 80);
    await silent(proxy, permitted);
    await silent(caller, led);
    expect((await proxy.probe.flow(other)).silentFor).toBeLessThan(1_000);
    const [prefix = '', ...rest] = ['nsenter', `--net=/proc/${vpn.pid}/ns/net`, 'nft', 'list', 'tables'];
    await becomes(
      'the rules in the container to be gone',
      async () => !(await execa(prefix, rest)).stdout.includes('egresstrator_nat'),
    );
  });

  test('half a file, and none, change nothing', async () => {
    const path = join(folder, 'networks.json');
    writeFileSync(path, JSON.stringify(fileWith()).slice(0, 100));
    await becomes('the half file to be told', async () =>
      (await problems()).some((reason) => reason.includes('ends in the middle')),
    );
    expect(await answers(proxy, WEB, 81)).toBe('ok');
    renameSync(folder, `${folder}.old`);
    expect(await answers(proxy, WEB, 81)).toBe('ok');
    rmSync(`${folder}.old`, { recursive: true });
    mkdirSync(folder);
    write(fileWith(PERMIT));
    await reached(proxy, WEB, 80);
    await unreached(proxy, WEB, 81);
  });

  test('a network that Docker has otherwise is left, and told', async () => {
    const file = fileWith(PERMIT);
    write({
      ...file,
      networks: { ...file.networks, other: { network_name: named('other'), subnet: '10.99.0.0/24' } },
    });
    await becomes('the other network to be told', async () =>
      (await problems()).some((reason) => reason.includes('networks.other: Docker has this network with')),
    );
    expect(await answers(proxy, WEB, 80)).toBe('ok');
  });

  /** With the controller's folders and Engine, on a host of its own. */
  const cli = (...args: readonly string[]) =>
    runCli([
      ...args,
      ...['--socket', controller.socket, '--run-dir', join(controller.folder, 'run')],
      ...['--state-dir', join(controller.folder, 'state'), '-H', `unix://${engine.socketPath}`],
      ...['-i', image, '-c', consul.address],
    ]);
  const inVpn = async (...command: readonly string[]) => {
    const [program = '', ...args] = ['nsenter', `--net=/proc/${vpn.pid}/ns/net`, ...command];
    return (await execa(program, args)).stdout;
  };
  const onHost = async (...command: readonly string[]) => {
    const [program = '', ...args] = [...engine.networkPrefix, ...command];
    return (await execa(program, args)).stdout;
  };

  test('a file behind a link counts when the link is swapped, and a removed file changes nothing', async () => {
    const point = (name: string, ...policies: readonly object[]) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'networks.json'), JSON.stringify(fileWith(...policies)));
      symlinkSync(name, join(folder, '..new'));
      renameSync(join(folder, '..new'), join(folder, '..data'));
    };
    point('a', { ...PERMIT, port: 81 });
    rmSync(join(folder, 'networks.json'));
    await becomes('the removed file to be told', async () =>
      (await problems()).some((reason) => reason.includes('ENOENT')),
    );
    expect(await answers(proxy, WEB, 80)).toBe('ok');
    symlinkSync('..data/networks.json', join(folder, 'networks.json'));
    await reached(proxy, WEB, 81);
    point('b', PERMIT);
    await reached(proxy, WEB, 80);
    await unreached(proxy, WEB, 81);
    rmSync(join(folder, 'networks.json'));
  });

  test('bad entries beside good ones are told, each for its own, and the good ones count', async () => {
    await onHost('ip', 'link', 'add', 'other0', 'type', 'bridge');
    await onHost('ip', 'address', 'add', '172.31.105.1/24', 'dev', 'other0');
    await onHost('ip', 'link', 'set', 'other0', 'up');
    const file = fileWith(
      ...[
        { ...PERMIT, from: 'nobody' },
        { ...PERMIT, selector: 'nobody' },
        INNER(),
        { ...INNER(), to: 'proxy' },
      ],
      { ...PERMIT, port: 81 },
    );
    const bad = {
      networks: { ...file.networks, wide: { subnet: '172.31.105.0/25' }, twice: file.networks.back },
      ips: { ...file.ips, thief: { ip: WEB, container_name: 'thief' } },
      policies: file.policies,
    };
    write(bad);
    await reached(proxy, WEB, 81);
    const expected = [
      'networks.wide.subnet: 172.31.105.0/25 overlaps the route 172.31.105.0/24',
      'networks.twice: is the network',
      'ips.thief.ip: 172.31.103.2 is the address of ips.web already',
      'policies[0].from: "nobody" is neither',
      'policies[1]: selector "nobody" is no entry of ips',
      'policies[3]: leads tcp/90 to',
    ];
    await eventually(async () => {
      const found = await problems();
      for (const text of expected)
        expect(
          found.filter((reason) => reason.includes(text)),
          found.join('\n'),
        ).toHaveLength(1);
    });
    expect((await workloads.docker('network', 'inspect', 'wide')).code).not.toBe(0);
    await onHost('ip', 'link', 'delete', 'other0');
    // No event tells of routes: they are read each minute, and when the file changes.
    write({ ...bad, policies: [{ ...PERMIT, port: 82 }] });
    await becomes(
      'the network to be made',
      async () => (await workloads.docker('network', 'inspect', 'wide')).code === 0,
    );
    write(fileWith(PERMIT));
    await reached(proxy, WEB, 80);
    await workloads.must('network', 'rm', 'wide');
  });

  test('a container that does not run yet has its address and its policies once it runs', async () => {
    const late = '172.31.104.9';
    const file = fileWith(PERMIT, { selector: 'web', from: 'late', port: 81, proto: 'tcp' });
    const ips = { ...file.ips, late: { ip: late, container_name: named('late'), selector: 'late' } };
    write({ ...file, ips });
    const caller = await workloads.run('late');
    await reached(caller, WEB, 81);
    expect(await inspected('{{json .NetworkSettings.Networks}}', caller.name)).toContain(late);
    await workloads.remove(caller);
    const thief = await workloads.run('thief', { network: named('front'), args: ['--ip', late] });
    await becomes('the taken address to be told', async () =>
      (await problems()).some((reason) =>
        reason.includes(`${late} is the address of the container "${thief.name}"`),
      ),
    );
    await unreached(thief, WEB, 81);
    expect(await answers(proxy, WEB, 80)).toBe('ok');
  });

  test('a container that Docker could not attach is attached once nothing is in the way, and keeps its address', async () => {
    const address = '172.31.104.10';
    const blocked = await workloads.run('blocked');
    // Docker lists the container with this address then, though it has no interface there.
    const route = (action: 'add' | 'del') =>
      execa('nsenter', [
        ...[`--net=/proc/${blocked.pid}/ns/net`, 'ip', 'route', action],
        ...['172.31.104.200', 'dev', 'eth0'],
      ]);
    await route('add');
    const file = fileWith(PERMIT, { selector: 'web', from: 'blocked', port: 81, proto: 'tcp' });
    const ips = { ...file.ips, blocked: { ip: address, container_name: blocked.name, selector: 'blocked' } };
    write({ ...file, ips });
    await becomes('the failure to be reported', async () =>
      (await problems()).some((reason) => reason.includes('conflicts with existing route')),
    );
    await route('del');
    await reached(blocked, WEB, 81);
    // While it is stopped, as in a restart, another container is to have its address by the file.
    const heir = await workloads.run('heir');
    await workloads.must('stop', '--time', '0', blocked.name);
    write({ ...file, ips: { ...file.ips, heir: { ip: address, container_name: heir.name } } });
    await becomes('the address to be kept', async () =>
      (await problems()).some((reason) => reason.includes('could not start again without it')),
    );
    await workloads.must('start', blocked.name);
    await workloads.remove(heir);
    await workloads.remove(blocked);
  });

  test('a policy that goes leaves an equal rule of the operator, and the target cannot call back', async () => {
    write(fileWith(PERMIT, { ...PERMIT, port: 83 }));
    const rule = `-s ${PROXY}/32 -d ${WEB}/32 -p tcp -m tcp --dport 80 -j ACCEPT`;
    await onHost('iptables', '-w', '-I', 'DOCKER-USER', ...rule.split(' '));
    await proxy.probe.serve([80]);
    await becomes('the port 83 to be permitted', async () =>
      (await onHost('nft', 'list', 'set', 'inet', 'egresstrator_host', 'permits4')).includes('83'),
    );
    const back = ['busybox', 'nc', '-w', '1', '-p', '83', PROXY, '80'];
    const { exitCode } = await execa('nsenter', [`--net=/proc/${web.pid}/ns/net`, ...back], {
      reject: false,
      stdin: 'ignore',
    });
    expect(exitCode).not.toBe(0);
    write(fileWith());
    await becomes(
      'the permits to be gone',
      async () => !(await onHost('nft', 'list', 'table', 'inet', 'egresstrator_host')).includes('permits4'),
    );
    expect(await onHost('iptables', '-w', '-S', 'DOCKER-USER')).toContain(`-A DOCKER-USER ${rule}`);
  });

  test('a dry run lists what another file would do here, and does none of it', async () => {
    const [path, other] = [join(folder, 'networks.json'), join(folder, 'other.json')];
    write(fileWith(PERMIT));
    await becomes('the file to be known', async () =>
      readFileSync(join(controller.folder, 'state', 'networks.json'), 'utf8').includes('policies'),
    );
    const dry = async (file: string) => {
      const { code, stdout } = await cli('networks', 'apply', '--dry-run', file);
      return { code, lines: stdout.replaceAll(`${workloads.prefix}-`, '').split('\n') };
    };
    await waitFor(async () => (await dry(path)).lines.join() === 'nothing to do; no problems', {
      ...{ what: 'nothing to be left to do', timeout: 60_000, interval: 500 },
    });
    const { networks, ...rest } = fileWith({ ...PERMIT, port: 81 }, INNER());
    const more = { new: { network_name: named('new'), subnet: '172.31.105.0/24' } };
    writeFileSync(other, JSON.stringify({ networks: { ...networks, ...more }, ...rest }));
    const { code, lines } = await dry(other);
    const nets = await inspected('{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}', vpn.name);
    const own = vpn.addresses[named('other')]?.ipv4;
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        '+ network new 172.31.105.0/24 (networks.new)',
        '- 172.31.104.2 may reach 172.31.103.2 at tcp/80',
        '+ 172.31.104.2 may reach 172.31.103.2 at tcp/81 (policies[0])',
        `+ ${own} may reach 172.31.103.2 at tcp/80 (policies[1])`,
        '+ every device of vpn: tcp/90 leads to 172.31.103.2:80 (policies[1])',
        `+ vpn reaches 172.31.103.2 via ${nets}`,
        '6 steps: 5 to make, 1 to remove; nothing was changed; no problems',
      ],
    });
    expect(await inVpn('nft', 'list', 'tables')).not.toContain('egresstrator_nat');
    rmSync(other);
  });

  test('uninstall takes rules, ports and routes, and leaves networks', async () => {
    write(fileWith(PERMIT, INNER()));
    await becomes('the route', async () => (await inVpn('ip', 'route', 'show', 'proto', '149')) !== '');
    await becomes('the rules', async () =>
      (await inVpn('nft', 'list', 'tables')).includes('egresstrator_nat'),
    );
    await controller.stop();
    const { steps } = JSON.parse((await cli('uninstall', '--yes', '--json')).stdout);
    const ofParts = steps.filter(({ part }: { part: string }) => part === 'rules' || part === 'routes');
    expect(ofParts.length).toBeGreaterThanOrEqual(3);
    expect(ofParts.filter(({ state }: { state: string }) => state !== 'removed')).toEqual([]);
    expect(await inVpn('ip', 'route', 'show', 'proto', '149')).toBe('');
    expect(await inVpn('nft', 'list', 'tables')).not.toContain('egresstrator');
    expect(await onHost('nft', 'list', 'tables')).not.toContain('egresstrator');
    expect(await onHost('iptables-save')).not.toContain('egresstrator');
    expect(await inspected('{{json .NetworkSettings.Networks}}', web.name)).toContain(WEB);
  });
});
