/**
 * Makes an attempt from inside a container, and tells whether any packet of it arrived.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../lab/wait.ts';
import type { AttackStep, Attempt, Setup } from './attempts.ts';
import { isHousekeeping, type ReceivedPacket } from './listener.ts';
import { type Host, type ListenerName, type Testbed, TOOLS } from './testbed.ts';

/** Milliseconds within which a packet that passes arrives; far more than on a busy machine. */
const ARRIVAL_TIMEOUT = 4_000;
/** Milliseconds to wait for packets under rules, after those of the attempt without rules have arrived. */
const SETTLE_TIME = 150;

export interface AttemptOutput {
  /** The output of the attacker's program. */
  readonly output: string;
  readonly text: string;
}

/** Runs all steps of an attempt in one `docker exec`, so that they follow each other quickly. */
export async function makeAttempt(
  testbed: Testbed,
  setup: Setup,
  send: Attempt['send'],
): Promise<AttemptOutput> {
  const text = newText();
  const lines = send(setup).map((one) => commandLine(setup, one, text));
  const { id } = setup.self.workload;
  const { stdout, stderr } = await testbed.workloads.docker('exec', id, 'sh', '-c', lines.join('\n'));
  return { output: [stdout, stderr].join('\n').trim().replaceAll('\n', ', '), text };
}

export const newText = (): string => `egt-${randomBytes(5).toString('hex')}`;

const SOCKETS = ['xdp', 'ring', 'ancient'];

/** A step with `quiet` only prepares, and sends no text to look for. */
function commandLine({ self }: Setup, { method, options }: AttackStep, text: string): string {
  const { quiet, ...rest } = options;
  const src = `${options.dst}`.includes(':') ? self.ipv6 : self.ipv4;
  const all = { src, link: 'eth0', text: quiet === undefined ? text : 'quiet', ...rest };
  const words = Object.entries(all).map(([name, value]) => `'${name}=${value}'`);
  const attack = (how: string) => `python3 ${TOOLS}/attack.py ${how} ${words.join(' ')}`;
  return SOCKETS.includes(method)
    ? `perl ${TOOLS}/sockets.pl ${method} ${all.link} $(${attack('show')})`
    : attack(method);
}

/** Whether the text arrives within the time-out. */
export async function arrives(testbed: Testbed, at: ListenerName, text: string): Promise<boolean> {
  const look = () => testbed.listeners[at].hasReceived(text);
  return waitFor(look, { what: text, timeout: ARRIVAL_TIMEOUT, interval: 10 }).then(
    () => true,
    () => false,
  );
}

export interface LeakWatch {
  /** All packets of the attempt that arrived at a denied place, in words. */
  leaks(text: string, at: ListenerName): Promise<readonly string[]>;
}

/**
 * Watches from now on. Any packet from one of the host's addresses at `denied` or `beyond` counts, with a text or
 * without, and a packet with the attempt's text anywhere.
 */
export function watchForLeaks(testbed: Testbed, { ipv4, ipv6, linkLocal }: Host): LeakWatch {
  const from: Record<ListenerName, number> = {
    denied: testbed.listeners.denied.packets.length,
    router: testbed.listeners.router.packets.length,
    beyond: testbed.listeners.beyond.packets.length,
  };
  const isFromHost = ({ source }: ReceivedPacket) => [ipv4, ipv6, linkLocal].includes(source);
  return {
    leaks: async (text, at) => {
      await sleep(SETTLE_TIME);
      const forbidden: readonly ListenerName[] = ['denied', 'beyond'];
      const found = forbidden.flatMap((place) =>
        testbed.listeners[place].packets.slice(from[place]).filter(isFromHost),
      );
      const withText = testbed.listeners[at].packets
        .slice(from[at])
        .filter(({ texts }) => texts.includes(text));
      return [...found.filter((packet) => !isHousekeeping(packet)), ...withText].map((packet) =>
        Object.values(packet).join(' '),
      );
    },
  };
}
