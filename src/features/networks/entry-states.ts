/**
 * How far each entry of networks.json is: for people, from the file, the plan and the steps of the reconciler.
 */
import type { Condition } from '../../common/condition.ts';
import type { Problem } from '../../common/problem.ts';
import type { Container } from '../../inventory/container.ts';
import { contains, formatPrefix } from '../../net/address.ts';
import { formatRange } from '../../net/ranges.ts';
import type { AddressEntry, DesiredNetworks, NetworkEntry, PolicyEntry, TargetNames } from './model.ts';
import { bare } from './names.ts';
import type { NetworksPlan } from './plan.ts';
import type { ReadNetworks } from './read.ts';

/**
 * - `applied`: Docker, the host or the container has it.
 * - `pending`: it is made next. `failed`: it could not be made, and is tried again.
 * - `waiting`: a container that it needs does not run.
 * - `conflicting`: Docker or another entry has it otherwise; it is left as it is.
 * - `invalid`: it has an error, and no effect.
 */
export const ENTRY_STATES = ['applied', 'pending', 'failed', 'waiting', 'conflicting', 'invalid'] as const;
export type EntryStateName = (typeof ENTRY_STATES)[number];

export interface EntryState {
  /** Where it stands in the file, as `policies[1]`; of routes, the container. */
  readonly path: string;
  /** What it says; undefined where that cannot be read. */
  readonly text?: string | undefined;
  readonly state: EntryStateName;
  /** Undefined without a problem. */
  readonly reason?: string | undefined;
}

export interface EntryStates {
  readonly networks: readonly EntryState[];
  /** Static addresses of containers. */
  readonly attachments: readonly EntryState[];
  readonly policies: readonly EntryState[];
  /** Of containers, one for each with routes. */
  readonly routes: readonly EntryState[];
}

/** Something that the reconciler makes. */
export interface NetworkStep {
  /** `networks`, `attachments`, `forwarding`, `nat` or `routes`. */
  readonly feature: string;
  /** For people. */
  readonly name: string;
  /** Where its entries stand in the file. */
  readonly paths: readonly string[];
  readonly condition: Condition;
  /** Why it failed. */
  readonly reason: string | undefined;
  /** When it is tried again after a failure, in ms. */
  readonly retryAt?: number | undefined;
}

export interface Around {
  readonly containers: readonly Container[];
  readonly steps: readonly NetworkStep[];
  /** The host's rules have what the plan says. */
  readonly isHostLoaded: boolean;
}

export function entryStates(read: ReadNetworks, plan: NetworksPlan, around: Around): EntryStates {
  const { networks, addresses, policies } = read.file;
  const { desired } = plan;
  const known = { ...around, desired, ...indexOf(plan, around) };
  const of = <T extends Entry>(
    section: string,
    entries: readonly T[],
    textOf: (entry: T) => string,
    stateOf: (entry: T, known: Known) => EntryStateName,
  ): readonly EntryState[] => [
    ...entries.map((one) => entryOf(one.origin.path, textOf(one), stateOf(one, known), known)),
    ...invalidOf(section, entries, read.problems),
  ];
  return {
    networks: of('networks', networks, networkText, networkState),
    attachments: of('ips', addresses, addressText, addressState),
    policies: of('policies', policies, policyText, policyState),
    routes: around.steps.filter(({ feature }) => feature === 'routes').flatMap(routesOf),
  };
}

type Entry = NetworkEntry | AddressEntry | PolicyEntry;

interface Known extends Around {
  readonly desired: DesiredNetworks;
  /** By the place of the entry. */
  readonly failures: ReadonlyMap<string, string>;
  readonly errors: ReadonlyMap<string, string>;
  /** Entries from which something is to be there. */
  readonly planned: ReadonlySet<string>;
  /** Entries whose rules are in a container. */
  readonly inSync: ReadonlySet<string>;
  /** Names of containers that run. */
  readonly running: ReadonlySet<string>;
}

function indexOf(
  { desired, problems }: NetworksPlan,
  { steps, containers }: Around,
): Pick<Known, 'failures' | 'errors' | 'planned' | 'inSync' | 'running'> {
  const { networks, permits, hostForwards, inner } = desired;
  const forwards = [...inner.values()].flatMap((one) => one.forwards);
  const all = [...networks, ...permits, ...hostForwards, ...forwards];
  return {
    failures: new Map(
      steps.flatMap(({ reason, paths }) => (reason === undefined ? [] : paths.map((path) => [path, reason]))),
    ),
    errors: firstErrors(problems),
    planned: new Set(all.map(({ origin }) => origin.path)),
    inSync: new Set(
      steps.flatMap(({ feature, condition, paths }) =>
        feature === 'nat' && condition === 'inSync' ? paths : [],
      ),
    ),
    running: new Set(containers.map(({ name }) => bare(name))),
  };
}

/** The reason of a failed step comes first, then an error of the entry. */
function entryOf(path: string, text: string, state: EntryStateName, { failures, errors }: Known): EntryState {
  const failure = failures.get(path);
  if (failure !== undefined) return { path, text, state: 'failed', reason: failure };
  const reason = errors.get(path);
  if (reason === undefined) return { path, text, state };
  const isWithoutEffect = path.startsWith('policies') && state === 'waiting';
  return { path, text, state: isWithoutEffect ? 'invalid' : 'conflicting', reason };
}

/** Entries that could not be read. */
function invalidOf(
  section: string,
  entries: readonly Entry[],
  problems: readonly Problem[],
): readonly EntryState[] {
  const known = new Set(entries.map(({ origin }) => origin.path));
  return [...firstErrors(problems)].flatMap(([path, reason]) =>
    path.startsWith(section) && !known.has(path) ? [{ path, state: 'invalid', reason }] : [],
  );
}

/** By the place of the entry. */
const firstErrors = (problems: readonly Problem[]): ReadonlyMap<string, string> =>
  new Map(
    problems.toReversed().flatMap(({ severity, text = '', reason }) => {
      const [path] = ENTRY_PATH.exec(text) ?? [];
      return path === undefined || severity !== 'error' ? [] : [[path, reason]];
    }),
  );

const ENTRY_PATH = /^(networks|ips|policies)(\[\d+\]|\["(?:[^"\\]|\\.)*"\]|\.[\w-]+)/;

const networkState = ({ origin }: NetworkEntry, { planned }: Known): EntryStateName =>
  planned.has(origin.path) ? 'pending' : 'applied';

function addressState(
  { container, selector, addresses }: AddressEntry,
  { desired, running }: Known,
): EntryStateName {
  const isRunning = [container, selector].some((name) => name !== undefined && running.has(bare(name)));
  if (!isRunning) return 'waiting';
  const isMissing = desired.attachments.some((one) =>
    one.addresses.some((missing) => addresses.some((address) => contains(address, missing))),
  );
  return isMissing ? 'pending' : 'applied';
}

function policyState(
  { kind, origin: { path } }: PolicyEntry,
  { planned, inSync, isHostLoaded }: Known,
): EntryStateName {
  if (!planned.has(path)) return 'waiting';
  return (kind === 'container' ? inSync.has(path) : isHostLoaded) ? 'applied' : 'pending';
}

const ROUTE_STATES = { inSync: 'applied', pending: 'pending', failed: 'failed' } as const;

const routesOf = ({ name, condition, reason }: NetworkStep): readonly EntryState[] =>
  condition === 'released' ? [] : [{ path: name, state: ROUTE_STATES[condition], reason }];

const networkText = ({ name, subnets }: NetworkEntry): string =>
  `${name} ${subnets.map(({ prefix }) => formatPrefix(prefix)).join(' and ')}`;

const addressText = ({ addresses, container, selector, service }: AddressEntry): string =>
  `${container ?? selector ?? service ?? 'no container'} ${addresses.map(formatPrefix).join(' and ')}`;

function policyText(policy: PolicyEntry): string {
  const { protocol } = policy;
  const target = targetText(policy.target);
  if (policy.kind === 'permit')
    return `${policy.from} may reach ${target} at ${protocol}/${formatRange(policy.range)}`;
  const place = policy.kind === 'host' ? `${policy.device} of this host` : policy.inside;
  return `${protocol}/${policy.port} of ${place} leads to ${target} ${protocol}/${policy.toPort}`;
}

const targetText = ({ to, selector, container, service }: TargetNames): string =>
  to ?? selector ?? container ?? service ?? 'nothing';
