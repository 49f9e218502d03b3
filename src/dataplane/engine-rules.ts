/**
 * Reads the Engine's own rules on its host, by `netns firewall`.
 */
import type { EngineRules } from '../inventory/engine-rules.ts';
import { HOST_REF } from './dataplane.ts';
import type { HostRunner } from './host.ts';
import { failed } from './load-errors.ts';
import type { Command } from './runner.ts';

const FIREWALL: Command = { name: 'firewall' };

/** Fails with a `LoadError`. */
export async function readEngineRules(runner: Pick<HostRunner, 'run'>): Promise<EngineRules> {
  const { stdout } = await runner.run(FIREWALL);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const strange = lines.find((line) => !LINE.test(line));
  if (strange === undefined) return rulesIn(lines);
  throw failed({ command: FIREWALL, name: HOST_REF.name }, `it printed "${strange.slice(0, 100)}"`);
}

const LINE = /^(chains|device \S+|port [a-z]+ \d+)$/;

const rulesIn = (lines: readonly string[]): EngineRules => ({
  hasChains: lines.includes('chains'),
  devices: new Set(restOf('device ', lines)),
  ports: new Set(restOf('port ', lines)),
});

const restOf = (beginning: string, lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
