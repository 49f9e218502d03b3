/**
 * Makes an attempt from inside a container, and says whether anything of it was heard.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../lab/wait.ts';
import type { Attempt, Setup, Shot } from './attempts.ts';
import { type Heard, isHousekeeping } from './listener.ts';
import { type Host, type ListeningPlace, type Testbed, TOOLS } from './testbed.ts';

/** Milliseconds that what is let through may take; far more than it does on a busy machine. */
const PATIENCE = 4_000;
/** What the attempt without rules has shown to be on its way is there after this. */
const SETTLE = 150;

export interface Tried {
  /** What the attacker's program said. */
  readonly said: string;
  readonly text: string;
}

/** In one `docker exec`: all that belongs to one attempt comes quickly one after the other. */
export async function make(testbed: Testbed, setup: Setup, send: Attempt['send']): Promise<Tried> {
  const text = newText();
  const lines = send(setup).map((one) => commandLine(setup, one, text));
  const { id } = setup.self.workload;
  const { stdout, stderr } = await testbed.workloads.docker('exec', id, 'sh', '-c', lines.join('\n'));
  return { said: [stdout, stderr].join('\n').trim().replaceAll('\n', ', '), text };
}

export const newText = (): string => `egt-${randomBytes(5).toString('hex')}`;

const SOCKETS = ['xdp', 'ring', 'ancient'];

/** `quiet` shots only prepare, and bring no text of their own. */
function commandLine({ self }: Setup, { way, fields }: Shot, text: string): string {
  const { quiet, ...rest } = fields;
  const src = `${fields.dst}`.includes(':') ? self.ipv6 : self.ipv4;
  const all = { src, link: 'eth0', text: quiet === undefined ? text : 'quiet', ...rest };
  const words = Object.entries(all).map(([name, value]) => `'${name}=${value}'`);
  const attack = (how: string) => `python3 ${TOOLS}/attack.py ${how} ${words.join(' ')}`;
  return SOCKETS.includes(way)
    ? `perl ${TOOLS}/sockets.pl ${way} ${all.link} $(${attack('show')})`
    : attack(way);
}

/** Whether the text comes within a time that is enough for all that comes. */
export async function arrives(testbed: Testbed, at: ListeningPlace, text: string): Promise<boolean> {
  const look = () => testbed.listeners[at].heard(text);
  return waitFor(look, { what: text, timeout: PATIENCE, interval: 10 }).then(
    () => true,
    () => false,
  );
}

export interface Watch {
  /** Whatever of it arrived anywhere it should not, for a person to read. */
  leaks(text: string, at: ListeningPlace): Promise<readonly string[]>;
}

/**
 * From now on: any packet with one of its addresses at `denied` or `beyond` counts, with a text or
 * without, and its text anywhere.
 */
export function watch(testbed: Testbed, { ipv4, ipv6, linkLocal }: Host): Watch {
  const from: Record<ListeningPlace, number> = {
    denied: testbed.listeners.denied.packets.length,
    router: testbed.listeners.router.packets.length,
    beyond: testbed.listeners.beyond.packets.length,
  };
  const isIts = ({ source }: Heard) => [ipv4, ipv6, linkLocal].includes(source);
  return {
    leaks: async (text, at) => {
      await sleep(SETTLE);
      const forbidden: readonly ListeningPlace[] = ['denied', 'beyond'];
      const found = forbidden.flatMap((place) =>
        testbed.listeners[place].packets.slice(from[place]).filter(isIts),
      );
      const told = testbed.listeners[at].packets.slice(from[at]).filter(({ texts }) => texts.includes(text));
      return [...found.filter((packet) => !isHousekeeping(packet)), ...told].map((packet) =>
        Object.values(packet).join(' '),
      );
    },
  };
}
