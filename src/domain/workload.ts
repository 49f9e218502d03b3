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
  /** What of it the image says; undefined: nothing. */
  readonly image?: Pick<Request, 'environment' | 'labels'>;
}

interface Setting {
  readonly variable: string;
  readonly label: string;
  /** Never taken from the image, as it may open. */
  readonly onlyByOperator?: boolean;
}

const ENABLE: Setting = { variable: 'EGRESSTRATOR_ENABLE', label: 'egresstrator.enable' };
const ACL: Setting = { variable: 'EGRESSTRATOR_ACL', label: 'egresstrator.acl' };
const MODE: Setting = { variable: 'EGRESSTRATOR_MODE', label: 'egresstrator.mode', onlyByOperator: true };
const DNS: Setting = { variable: 'EGRESSTRATOR_DNS', label: 'egresstrator.dns' };

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['', '0', 'false', 'no', 'off']);

/** The workload a container asks to be, or undefined where it asks for nothing. */
export function parseWorkload(request: Request, defaultMode: Mode = 'enforce'): Workload | undefined {
  const problems: Problem[] = [];
  const find = (setting: Setting) => settingOf(setting, request, problems);
  if (!isEnabled(find(ENABLE), problems)) return undefined;
  return {
    grants: parseKeyList(find(ACL) ?? ''),
    mode: oneOf(MODE, find(MODE), { enforce: 'enforce', audit: 'audit' }, defaultMode, 'enforce', problems),
    dns: oneOf(DNS, find(DNS), { resolvers: 'resolvers', none: 'none' }, 'resolvers', 'none', problems),
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

/**
 * Who runs a container comes before who made its image: an image must not talk its container out of
 * rules. Of the two ways to say it, the variable comes before the label.
 */
function settingOf(setting: Setting, request: Request, problems: Problem[]): string | undefined {
  const said = read(setting, request);
  const byImage = request.image === undefined ? {} : read(setting, request.image);
  const variable = said.variable === byImage.variable ? undefined : said.variable;
  const label = said.label === byImage.label ? undefined : said.label;
  if (variable !== undefined && label !== undefined && variable !== label) {
    problems.push(
      warning(setting.label, label, `the label differs from ${setting.variable}, and the variable counts`),
    );
  }
  const own = variable ?? label;
  const images = byImage.variable ?? byImage.label;
  if (own !== undefined || images === undefined || !setting.onlyByOperator) return own ?? images;
  problems.push(
    warning(setting.variable, images, 'the image says so, and only who runs it may; it is ignored'),
  );
  return undefined;
}

interface Said {
  readonly variable?: string | undefined;
  readonly label?: string | undefined;
}

function read(setting: Setting, { environment, labels }: Pick<Request, 'environment' | 'labels'>): Said {
  const prefix = `${setting.variable}=`;
  return {
    variable: environment.findLast((line) => line.startsWith(prefix))?.slice(prefix.length),
    label: Object.hasOwn(labels, setting.label) ? labels[setting.label] : undefined,
  };
}

const warning = (where: string, text: string | undefined, reason: string): Problem => ({
  severity: 'warning',
  text: `${where}=${text ?? ''}`,
  reason,
});
