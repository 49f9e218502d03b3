/**
 * Published ports on an Engine that makes no firewall rules (`--iptables=false`), as callers everywhere reach them: outside
 * in a namespace of its own, on the host, and in containers on the same bridge, on another, and on the container's own.
 */
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OwnEngine } from '../../lab/engine.ts';
import type { Caller } from '../../lab/netns.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../support/egresstrator.ts';
import {
  answerOf,
  callerBeside,
  outcomeBecomes,
  outcomeOf,
  publish,
  restartHostEngine,
  startHostEngine,
} from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import type { Outcome, Target } from '../support/probe.ts';
import { type Probe, startProbe } from '../support/probes.ts';
import { type Workload, Workloads } from '../support/workloads.ts';

const IPV6 = '2001:db8:d::/64';

onEachEngine((version) => {
  let engine: OwnEngine;
  let workloads: Workloads;
  let caller: Caller;
  let outside: Probe;
  let controller: RunningController;
  let onHost: Probe;

  const choice = (...more: readonly string[]) => ({
    daemonOptions: ['--iptables=false', '--ip6tables=false', '--ipv6', '--fixed-cidr-v6', IPV6, ...more],
  });

  beforeAll(async () => {
    engine = await startHostEngine(version, choice());
    const image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    caller = await callerBeside(engine);
    outside = startProbe(caller.namespace.name);
    controller = await startController({
      ...{ engine, args: ['-i', image, '--forwards', 'on'] },
      // There is no Consul: forwards need none.
      until: 'listening',
    });
    onHost = (await workloads.run('on-host', { network: 'host' })).probe;
  }, 300_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await outside?.close();
    await workloads?.[Symbol.asyncDispose]();
    await caller?.dispose();
    await engine?.reset();
  });

  const run = (...command: readonly string[]) => {
    const [program = '', ...prefix] = engine.networkPrefix;
    return execa(program, [...prefix, ...command]);
  };

  const published = (name: string, ports: readonly string[], network?: string) =>
    workloads.run(name, {
      ...{ ...(network !== undefined && { network }), args: publish(...ports) },
    });

  const tcp = (address: string, port: number): Target => ({ protocol: 'tcp', address, port });
  const udp = (address: string, port: number): Target => ({ protocol: 'udp', address, port });

  const calls = (target: Target, from: Probe = outside) => outcomeOf(target, from);
  const answers = (target: Target, from: Probe = outside) => answerOf(target, from);
  const becomes = (target: Target, outcome: Outcome, from: Probe = outside) =>
    outcomeBecomes(target, outcome, from);

  describe("with Docker's proxy", () => {
    // That of 20.10 answers no datagrams of the very container that it serves.
    reachable({ selfByDatagram: version === '20.10' ? 'timeout' : 'ok' });
  });

  describe('without it', () => {
    beforeAll(async () => {
      await workloads.must('rm', '--force', workloads.nameOf('on-host'));
      engine = await restartHostEngine(version, choice('--userland-proxy=false'));
      onHost = (await workloads.run('on-host', { network: 'host' })).probe;
    }, 120_000);
    reachable({ selfByDatagram: 'ok' });
    moving();
    filtered();
  });

  /** The same from everywhere, whoever answers. */
  function reachable({ selfByDatagram }: { readonly selfByDatagram: string }): void {
    let web: Workload;
    let neighbour: Workload;
    let stranger: Workload;
    beforeAll(async () => {
      const { ipv4, ipv6 } = caller.host;
      const bound = [`127.0.0.1:8082:80`, `[::1]:8082:80`, `${ipv4}:8083:81`, `[${ipv6}]:8083:81`];
      web = await published('web', ['8080:80', '8080:80/udp', '8084:81', ...bound]);
      neighbour = await workloads.run('neighbour');
      stranger = await workloads.run('stranger', {
        network: await workloads.network('other', '2001:db8:e::/64'),
      });
      await web.probe.serve([80, 81]);
      for (const address of [ipv4, ipv6]) await becomes(tcp(address, 8083), 'ok');
    }, 120_000);
    afterAll(async () => {
      await workloads.remove(web, neighbour, stranger);
      await workloads.must('network', 'rm', workloads.nameOf('other'));
    });

    test.each(['ipv4', 'ipv6'] as const)('all reach a published port, by %s', async (family) => {
      const callers = {
        outside,
        onHost,
        self: web.probe,
        neighbour: neighbour.probe,
        stranger: stranger.probe,
      };
      const at = (port: number) => tcp(caller.host[family], port);
      const outcomes = Object.entries(callers).map(async ([who, from]) => {
        // Docker's proxy of 20.10 does not answer these.
        const isSilent = who === 'self' && selfByDatagram === 'timeout';
        const datagram = udp(caller.host[family], 8080);
        return [
          ...[who, await answers(at(8080), from), await (isSilent ? calls : answers)(datagram, from)],
          ...[await answers(at(8084), from), await answers(at(8083), from)],
        ];
      });
      expect(await Promise.all(outcomes)).toEqual(
        Object.keys(callers).map((who) => [who, 'ok', who === 'self' ? selfByDatagram : 'ok', 'ok', 'ok']),
      );
    });

    test('a port of one address is not at others', async () => {
      expect(await answers(tcp(engine.publishedAddress, 8083), onHost)).toBe('refused');
      expect(await answers(tcp(engine.publishedAddress, 8080), onHost)).toBe('ok');
    });

    test('a port of loopback is reached from nowhere else', async () => {
      for (const from of [outside, stranger.probe, neighbour.probe]) {
        for (const address of [caller.host.ipv4, caller.host.ipv6])
          expect(await answers(tcp(address, 8082), from)).toBe('refused');
      }
      // Who claims that 127.0.0.1 is behind this host gets nowhere.
      await caller.namespace.run('sysctl', ['-qw', 'net.ipv4.conf.all.route_localnet=1']);
      await caller.namespace.run('ip', ['addr', 'del', '127.0.0.1/8', 'dev', 'lo'], { reject: false });
      await caller.namespace.run('ip', ['route', 'replace', '127.0.0.0/8', 'via', caller.host.ipv4]);
      expect(await calls(tcp('127.0.0.1', 8082))).toBe('timeout');
    });
  }

  /** Where a forward leads changes while somebody uses it. */
  function moving(): void {
    test('a stream of datagrams follows its container to a new address', async () => {
      const before = await published('stream', ['8053:53/udp', '8053:53']);
      await before.probe.serve([53]);
      await becomes(udp(caller.host.ipv4, 8053), 'ok');
      const streams = await Promise.all(
        [caller.host.ipv4, caller.host.ipv6].map((address) => outside.keep(udp(address, 8053))),
      );
      const hasEcho = async (stream: number, since: number) => {
        const { echoes, silentFor } = await outside.flow(stream);
        return echoes > since && silentFor < 500;
      };
      for (const stream of streams)
        await waitFor(() => hasEcho(stream, 0), { what: 'the stream', timeout: 20_000 });
      await before.probe.close();
      await workloads.must('stop', '--time', '0', before.id);
      const taker = await workloads.run('taker');
      await taker.probe.serve([53]);
      // So long that the kernel knows the stream as one to this host. It tells senders of datagrams once a second.
      await becomes(tcp(caller.host.ipv4, 8053), 'refused');
      const counts = await Promise.all(streams.map(async (stream) => (await outside.flow(stream)).echoes));
      await workloads.must('start', before.id);
      const after = await workloads.find('stream');
      await after.probe.serve([53]);
      expect(after.addresses.bridge?.ipv4).not.toBe(before.addresses.bridge?.ipv4);
      for (const [index, stream] of streams.entries())
        await waitFor(() => hasEcho(stream, counts[index] ?? 0), {
          ...{ what: `stream ${index} to go on`, timeout: 30_000, interval: 100 },
        });
      await workloads.remove(after, taker);
    });

    test('a connection ends with its forward, although nobody closes it', async () => {
      const held = await published('held', ['8090:80']);
      await held.probe.serve([80]);
      await becomes(tcp(caller.host.ipv4, 8090), 'ok');
      const flow = await outside.keep(tcp(caller.host.ipv4, 8090));
      await waitFor(async () => (await outside.flow(flow)).echoes > 0, { what: 'the connection' });
      await workloads.must('stop', '--time', '0', held.id);
      await waitFor(async () => (await outside.flow(flow)).error === 'ECONNRESET', {
        // The caller sends again after twice the time, each time.
        ...{ what: 'the connection to be reset', timeout: 110_000, interval: 100 },
      });
      await workloads.remove(held);
    });

    test('a container on two networks is reached, and still when it leaves one', async () => {
      const [first, second] = [await workloads.network('a', '2001:db8:a::/64'), await workloads.network('b')];
      const twin = await published('twin', ['8091:80'], first);
      await workloads.must('network', 'connect', second, twin.id);
      await twin.probe.serve([80]);
      await becomes(tcp(caller.host.ipv4, 8091), 'ok');
      await becomes(tcp(caller.host.ipv6, 8091), 'ok');
      await workloads.must('network', 'disconnect', first, twin.id);
      await becomes(tcp(caller.host.ipv4, 8091), 'ok');
      await becomes(tcp(caller.host.ipv6, 8091), 'refused');
      await workloads.remove(twin);
      await workloads.must('network', 'rm', first, second);
    });

    test('an internal network is reached by nobody', async () => {
      const network = workloads.nameOf('internal');
      await workloads.must(
        ...['network', 'create', '--internal', '--label', `egresstrator-test=${workloads.prefix}`, network],
      );
      const inner = await published('inner', ['8092:80'], network);
      const open = await published('open', ['8093:80']);
      for (const { probe } of [inner, open]) await probe.serve([80]);
      await becomes(tcp(caller.host.ipv4, 8093), 'ok');
      expect(await answers(tcp(caller.host.ipv4, 8092))).toBe('refused');
      await workloads.remove(inner, open);
      await workloads.must('network', 'rm', network);
    });
  }

  /** Another firewall drops whatever it has no rule for. */
  function filtered(): void {
    const policy = async (kind: string, verdict: string) => {
      for (const tool of [`iptables-${kind}`, `ip6tables-${kind}`]) await run(tool, '-P', 'FORWARD', verdict);
    };
    beforeAll(() => outside.serve([70]));

    test.each(['nft', 'legacy'])('they pass a FORWARD that drops, by iptables-%s', async (kind) => {
      const web = await published('filtered', ['8094:80']);
      await web.probe.serve([80, 81]);
      await policy(kind, 'DROP');
      for (const address of [caller.host.ipv4, caller.host.ipv6]) await becomes(tcp(address, 8094), 'ok');
      // What no forward leads to is the other firewall's.
      for (const address of Object.values(web.addresses.bridge ?? {}))
        for (const port of [80, 81]) expect(await calls(tcp(address, port))).toBe('timeout');
      await becomes(tcp(caller.namespace.ipv4, 70), 'ok', web.probe);
      await policy(kind, 'ACCEPT');
      await workloads.remove(web);
    });
  }
});
