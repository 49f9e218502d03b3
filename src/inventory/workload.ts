/**
 * Parses a container's environment and labels into a workload.
 *
 * An unknown value is read in the strict sense and reported: a container with any of these settings must not end up
 * open because of a typing error. If several values are possible (see container-settings.ts), the strictest counts.
 * `gate/request.awk` reads the same; both must pass test/vectors/container-words.json.
 */

import type { Problem } from '../common/problem.ts';
import { printable, quote } from '../common/text.ts';
import { readSetting, type Setting, type SettingReading, type SettingRequest } from './container-settings.ts';

export type { SettingRequest } from './container-settings.ts';

/** `audit` counts and records traffic that `enforce` would deny, and lets it pass. */
export type Mode = 'enforce' | 'audit';

/**
 * `resolvers`: port 53 of the container's own resolvers. `names`: the names of its rules, of containers and of services
 * alone. `none`: no DNS at all.
 */
export type DnsPolicy = 'resolvers' | 'names' | 'none';

/** A container with EGRESSTRATOR_ENABLE=1, or the label with the same meaning. */
export interface Workload {
  /** Its ACL keys, in its own order, without duplicates. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Its runner chose `resolvers`; otherwise rules by name turn that into `names`. */
  readonly keepsResolvers?: true;
  readonly problems: readonly Problem[];
}

/** Who may reach a container that names ingress keys: nobody else. */
export interface IngressWorkload {
  /** In its own order, without duplicates; empty: nobody. */
  readonly keys: readonly string[];
  /** The runner has named them, or at least limited what an image names. */
  readonly isRunners: boolean;
  readonly mode: Mode;
  readonly problems: readonly Problem[];
}

/**
 * Limits for one container: an image must not fill logs and memory. Beyond either limit none of its keys counts.
 */
const MOST_KEYS = 128;
/** Bytes of the list as written. */
export const MOST_LIST_BYTES = 4096;

export const ENABLE: Setting = { variable: 'EGRESSTRATOR_ENABLE', label: 'egresstrator.enable' };
export const ACL: Setting = { variable: 'EGRESSTRATOR_ACL', label: 'egresstrator.acl' };
const MODE: Setting = { variable: 'EGRESSTRATOR_MODE', label: 'egresstrator.mode' };
const DNS: Setting = { variable: 'EGRESSTRATOR_DNS', label: 'egresstrator.dns' };

const INGRESS: Setting = { variable: 'EGRESSTRATOR_INGRESS', label: 'egresstrator.ingress' };

/** The names of all settings. */
export const SETTINGS: readonly Setting[] = [ENABLE, ACL, MODE, DNS, INGRESS];

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['', '0', 'false', 'no', 'off']);

/** The container's workload, or undefined if it is none. */
export function parseWorkload(request: SettingRequest, defaultMode: Mode = 'enforce'): Workload | undefined {
  const problems: Problem[] = [];
  const read = <T>(setting: Setting, parse: (value: string, problems: Problem[]) => T): Meaning<T> =>
    meaningOf(setting, request, problems, parse);
  if (!read(ENABLE, parseSwitch).values.includes(true)) return undefined;
  return {
    grants: intersectionOf(read(ACL, parseKeys(ACL)).values),
    mode: modeOf(read(MODE, parseMode(defaultMode)), defaultMode, problems),
    ...dnsOf(read(DNS, parseDns)),
    problems,
  };
}

/**
 * The ingress keys of a container, or undefined if it names none. A value turns ingress rules on, an empty one too,
 * whether the container is a workload of egress rules or not.
 */
export function parseIngress(
  request: SettingRequest,
  defaultMode: Mode = 'enforce',
): IngressWorkload | undefined {
  const problems: Problem[] = [];
  const { values, reading } = meaningOf(INGRESS, request, problems, parseKeys(INGRESS));
  if (values.length === 0) return undefined;
  // The mode is that of egress rules, which report what is wrong with it.
  const ofMode: Problem[] = parseWorkload(request, defaultMode) === undefined ? problems : [];
  const mode = modeOf(meaningOf(MODE, request, ofMode, parseMode(defaultMode)), defaultMode, ofMode);
  return { keys: intersectionOf(values), isRunners: reading.isRunners, mode, problems };
}

/** `db, payments` as keys: surrounding spaces, empty items and repetitions are dropped. */
export function parseKeyList(text: string): readonly string[] {
  const keys = text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  return [...new Set(keys)];
}

/** The meaning of each possible value. */
interface Meaning<T> {
  readonly setting: Setting;
  readonly reading: SettingReading;
  readonly values: readonly T[];
}

function meaningOf<T>(
  setting: Setting,
  request: SettingRequest,
  problems: Problem[],
  parse: (value: string, problems: Problem[]) => T,
): Meaning<T> {
  const reading = readSetting(setting, request);
  const { candidates, overruled } = reading;
  const values = candidates.map((value) => parse(value, problems));
  if (overruled !== undefined) {
    const reason = `the label differs from ${setting.variable}, and the variable counts`;
    problems.push(warning(setting.label, overruled, reason));
  }
  if (new Set(values.map((value) => JSON.stringify(value))).size > 1) {
    problems.push(unclear(setting, candidates, request.image === 'unknown'));
  }
  return { setting, reading, values };
}

function parseSwitch(value: string, problems: Problem[]): boolean {
  const word = value.trim().toLowerCase();
  if (OFF.has(word)) return false;
  if (!ON.has(word)) {
    const reason = 'expected 1, true, yes or on (or 0, false, no, off); read as 1';
    problems.push(warning(ENABLE.variable, value, reason));
  }
  return true;
}

const parseKeys =
  ({ variable }: Setting) =>
  (value: string, problems: Problem[]): readonly string[] => {
    const reject = (reason: string): readonly string[] => {
      problems.push({ ...warning(variable, value, reason), severity: 'error' });
      return [];
    };
    if (new TextEncoder().encode(value).length > MOST_LIST_BYTES)
      return reject(`the list is longer than ${MOST_LIST_BYTES} bytes, so none of its keys counts`);
    const keys = parseKeyList(value);
    if (keys.length > MOST_KEYS)
      return reject(`it names ${keys.length} keys; with more than ${MOST_KEYS} none counts`);
    return keys;
  };

const parseMode = (absent: Mode) => (value: string, problems: Problem[]) =>
  oneOf(MODE, value, { enforce: 'enforce', audit: 'audit' }, absent, 'enforce', problems);

const DNS_WORDS = { names: 'names', resolvers: 'resolvers', none: 'none' } as const;

const parseDns = (value: string, problems: Problem[]) =>
  oneOf<DnsPolicy | 'default'>(DNS, value, DNS_WORDS, 'default', 'none', problems);

function oneOf<T extends string>(
  { variable }: Setting,
  value: string,
  words: Readonly<Record<string, T>>,
  absent: T,
  unknown: T,
  problems: Problem[],
): T {
  const word = value.trim().toLowerCase();
  if (word === '') return absent;
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known === undefined) {
    const expected = Object.keys(words)
      .join(', ')
      .replace(/, (\w+)$/, ' or $1');
    problems.push(warning(variable, value, `expected ${expected}; read as ${unknown}`));
  }
  return known ?? unknown;
}

/** Beside rules by name, `resolvers` opens more than they do, so only the runner can choose it. */
function dnsOf({
  values,
  reading,
}: Meaning<DnsPolicy | 'default'>): Pick<Workload, 'dns' | 'keepsResolvers'> {
  if (values.includes('none')) return { dns: 'none' };
  if (values.includes('names')) return { dns: 'names' };
  const isChosen = reading.isRunners && values.every((value) => value === 'resolvers');
  return { dns: 'resolvers', ...(isChosen && { keepsResolvers: true }) };
}

/** Audit opens, so only the runner can set it. */
function modeOf({ values, reading }: Meaning<Mode>, absent: Mode, problems: Problem[]): Mode {
  if (values.length === 0) return absent;
  const strictest = values.includes('enforce') ? 'enforce' : 'audit';
  if (reading.isRunners || strictest === absent || strictest === 'enforce') return strictest;
  const reason = 'the image may have set this, which only the runner may; it is ignored';
  problems.push(warning(MODE.variable, reading.candidates[0] ?? '', reason));
  return absent;
}

const intersectionOf = (lists: readonly (readonly string[])[]): readonly string[] =>
  (lists[0] ?? []).filter((key) => lists.every((list) => list.includes(key)));

const warning = (where: string, text: string, reason: string): Problem => ({
  severity: 'warning',
  text: `${where}=${printable(text)}`,
  reason,
});

function unclear({ variable, label }: Setting, candidates: readonly string[], isUnknown: boolean): Problem {
  const whose = isUnknown ? 'the image is missing' : 'the image sets it as well';
  return {
    severity: 'warning',
    text: `${variable}/${label}: ${candidates.slice(0, 3).map(quote).join(' or ')}`,
    reason: `${whose}, so the runner's value is not known, and the strictest counts; set only ${variable}, to a value that the image does not contain`,
  };
}
