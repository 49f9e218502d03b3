/**
 * What a container asks for: its environment and labels, read into a workload.
 *
 * Whatever is not understood is read in the closed sense and reported: a container that speaks of
 * egresstrator at all must not end up open because of a typing error.
 */
import type { Problem } from './problem.ts';

/** `audit` counts and records what it would refuse, and lets it pass. */
export type Mode = 'enforce' | 'audit';

/** `resolvers`: port 53 of the container's own resolvers. `none`: no name resolution at all. */
export type DnsPolicy = 'resolvers' | 'none';

/** A container with EGRESSTRATOR_ENABLE=1 (or the label that says the same). */
export interface Workload {
  /** The ACL keys it asks for, in its own order, without duplicates. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  readonly problems: readonly Problem[];
}

/** Where a container says what it wants. */
export interface Request {
  /** `NAME=value` lines; of equal names the last counts. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface Setting {
  readonly variable: string;
  readonly label: string;
}

const ENABLE: Setting = { variable: 'EGRESSTRATOR_ENABLE', label: 'egresstrator.enable' };
const ACL: Setting = { variable: 'EGRESSTRATOR_ACL', label: 'egresstrator.acl' };
const MODE: Setting = { variable: 'EGRESSTRATOR_MODE', label: 'egresstrator.mode' };
const DNS: Setting = { variable: 'EGRESSTRATOR_DNS', label: 'egresstrator.dns' };

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['', '0', 'false', 'no', 'off']);

/** The workload a container asks to be, or undefined where it asks for nothing. */
export function parseWorkload(request: Request, defaultMode: Mode = 'enforce'): Workload | undefined {
  const problems: Problem[] = [];
  const read = (setting: Setting) => settingOf(setting, request, problems);
  if (!isEnabled(read(ENABLE), problems)) return undefined;
  return {
    grants: parseKeyList(read(ACL) ?? ''),
    mode: oneOf(MODE, read(MODE), { enforce: 'enforce', audit: 'audit' }, defaultMode, 'enforce', problems),
    dns: oneOf(DNS, read(DNS), { resolvers: 'resolvers', none: 'none' }, 'resolvers', 'none', problems),
    problems,
  };
}

/** `db, payments` as keys: surrounding spaces, empty items and repetitions are dropped. */
export function parseKeyList(text: string): readonly string[] {
  const keys = text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  return [...new Set(keys)];
}

function isEnabled(value: string | undefined, problems: Problem[]): boolean {
  const word = (value ?? '').trim().toLowerCase();
  if (OFF.has(word)) return false;
  if (!ON.has(word)) {
    problems.push(
      warning(ENABLE.variable, value, 'expected 1, true, yes or on (or 0, false, no, off); read as 1'),
    );
  }
  return true;
}

function oneOf<T extends string>(
  setting: Setting,
  value: string | undefined,
  words: Readonly<Record<string, T>>,
  absent: T,
  unknown: T,
  problems: Problem[],
): T {
  const word = (value ?? '').trim().toLowerCase();
  if (word === '') return absent;
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known === undefined) {
    const expected = Object.keys(words).join(' or ');
    problems.push(warning(setting.variable, value, `expected ${expected}; read as ${unknown}`));
  }
  return known ?? unknown;
}

function settingOf(setting: Setting, request: Request, problems: Problem[]): string | undefined {
  const prefix = `${setting.variable}=`;
  const variable = request.environment.findLast((line) => line.startsWith(prefix))?.slice(prefix.length);
  const label = Object.hasOwn(request.labels, setting.label) ? request.labels[setting.label] : undefined;
  if (variable !== undefined && label !== undefined && variable !== label) {
    problems.push(
      warning(setting.label, label, `the label differs from ${setting.variable}, and the variable counts`),
    );
  }
  return variable ?? label;
}

const warning = (where: string, text: string | undefined, reason: string): Problem => ({
  severity: 'warning',
  text: `${where}=${text ?? ''}`,
  reason,
});
