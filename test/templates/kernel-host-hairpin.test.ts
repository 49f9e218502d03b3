/**
 * A forwarded port as containers themselves call it, on every kind of host: with bridged packets filtered or not, and
 * with Docker's proxy or its hairpin mode.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { forward } from '../support/host-claims.ts';
import { netns, PROGRAM } from './fixture.ts';
import { hostText, loadHost, PORT, useHost } from './host-fixture.ts';

const { agents, containers, host } = await useHost();
/** The host itself listens there, as Docker's proxy does. */
const PROXIED = PORT + 50;
const PLAIN = PORT + 51;
await agents.host.serve(PROXIED);

/** An Engine without its proxy listens as well, and never answers. */
const SILENT = PORT + 52;
const listener = spawn('nsenter', [
  ...[...host.prefix.slice(1), process.execPath, '-e'],
  `require('net').createServer(() => {}).listen(${SILENT}, '::', () => console.log('listening'))`,
]);
await once(listener.stdout, 'data');
afterAll(() => listener.kill());

beforeEach(async () => {
  await netns(host, 'clear host');
});

/** Devices are found in /sys, which shows those of a namespace to what was mounted there. */
const loadWithDevices = async (port: number, to: string): Promise<void> => {
  const input = hostText({ forwards: [forward(port, to, PORT)] });
  await execa('ip', ['netns', 'exec', host.name, 'sh', PROGRAM, 'load', 'host'], { input });
};

const bridgeNf = async (value: 0 | 1): Promise<void> => {
  const names = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'];
  await host.run('sysctl', ['-qw', ...names.map((name) => `${name}=${value}`)]);
};

const hairpin = async (state: 'on' | 'off'): Promise<void> => {
  for (const port of ['br-a-1', 'br-a-2', 'br-b-1'])
    await host.run('bridge', ['link', 'set', 'dev', port, 'hairpin', state]);
};

describe.each([0, 1] as const)('bridge-nf=%i', (nf) => {
  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    const a1 = containers.a1[family];
    const gateway = family === 'ipv4' ? '172.29.1.1' : '2001:db8:a::1';

    it.each([
      { kind: "Docker's proxy", port: PROXIED, state: 'off' },
      { kind: 'hairpin mode', port: PLAIN, state: 'on' },
    ] as const)('with $kind, every container reaches it, its own too', async ({ port, state }) => {
      await bridgeNf(nf);
      await hairpin(state);
      await loadHost(host, { forwards: [forward(port, a1, PORT)] });
      for (const address of [host[family], gateway]) {
        for (const caller of ['a1', 'a2', 'b1'] as const) {
          const outcome = await agents[caller].open('x', address, port);
          expect({ caller, address, outcome }).toEqual({ caller, address, outcome: 'connected' });
          expect(await agents[caller].talk('x')).toBe('hello');
        }
      }
    });

    it('with hairpin mode, every container reaches it, also where the Engine listens', async () => {
      await bridgeNf(nf);
      await hairpin('on');
      await loadWithDevices(SILENT, a1);
      const { stdout } = await host.run('nft', ['list', 'set', 'inet', 'egresstrator_host', 'hairpin']);
      expect(stdout).toMatch(/"br-a",\s+"br-b"/);
      for (const caller of ['a1', 'a2', 'b1'] as const) {
        expect(await agents[caller].open('x', host[family], SILENT)).toBe('connected');
        expect({ caller, answer: await agents[caller].talk('x') }).toEqual({ caller, answer: 'hello' });
      }
    });

    it('from the host, by any of its addresses', async () => {
      await bridgeNf(nf);
      await hairpin('off');
      await loadHost(host, { forwards: [forward(PLAIN, a1, PORT)] });
      for (const address of [host[family], gateway])
        expect(await agents.host.open('x', address, PLAIN)).toBe('connected');
      const loopback = family === 'ipv4' ? '127.0.0.1' : '::1';
      expect(await agents.host.open('x', loopback, PLAIN)).toBe('ECONNREFUSED');
    });
  });
});
