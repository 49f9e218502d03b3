/**
 * What is known, in plain data: the material from which questions about it are answered. A running
 * controller gives it away through its API; without one it is read from Consul and the Engine.
 */
import type { Acl } from '../domain/acl.ts';
import { formatPrefix, type Prefix } from '../domain/address.ts';
import type { Namespace, Plan } from '../domain/namespace.ts';
import type { Catalog } from '../domain/resolve.ts';
import type { Instance } from '../domain/service.ts';
import type { Unasked } from '../domain/unasked.ts';
import type { DnsPolicy, Mode } from '../domain/workload.ts';
import { recordsRefusals } from '../rendering/facts.ts';
import { needsUngranted, type Template } from '../rendering/template.ts';
import { type NamespaceRecord, stateOf } from './namespace-record.ts';
import type { NamespaceState } from './status.ts';

/** One namespace that holds rules, or should. */
export interface Place {
  /** Names and ids of the workloads inside, in the same order. */
  readonly workloads: readonly string[];
  readonly ids: readonly string[];
  /** The container through which it is entered. */
  readonly target: string;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Undefined where no controller tells it. */
  readonly state?: NamespaceState | undefined;
  /** Undefined while they were not read. */
  readonly resolvers?: readonly string[] | undefined;
  /** Rules of others refuse packets there as well; undefined where no controller tells it. */
  readonly hasForeignRules?: boolean | undefined;
}

export interface Picture {
  readonly places: readonly Place[];
  readonly rules: readonly { readonly key: string; readonly text: string }[];
  readonly services: readonly { readonly name: string; readonly instances: readonly Instance[] }[];
  /** Workloads that can hold no rules. */
  readonly refused?:
    | readonly { readonly name: string; readonly id: string; readonly reason: string }[]
    | undefined;
  /** Names of containers that name keys and do not ask for rules. */
  readonly unasked?: readonly string[] | undefined;
  /** The address of the Consul that was read. */
  readonly consul?: string | undefined;
  /** Services of which nothing could be learned. */
  readonly unread: readonly string[];
  /** Of those, why: by name. */
  readonly whyUnread?: Readonly<Record<string, string>> | undefined;
  readonly protectedHosts: readonly string[];
  /** Its name or path. */
  readonly template?: string | undefined;
  /** Where the keys are in Consul, with a slash at its end. */
  readonly kvPath?: string | undefined;
  /** The template refuses only what keys that were not granted allow. */
  readonly denylist: boolean;
  /** What is loaded keeps refused destinations, so that they can be told. */
  readonly recordsRefusals: boolean;
}

export const placeOf = (namespace: Namespace, resolvers: readonly string[] | undefined): Place => ({
  workloads: namespace.members.map(({ container }) => container.name),
  ids: namespace.members.map(({ container }) => container.id),
  target: namespace.target.name,
  grants: namespace.grants,
  mode: namespace.mode,
  dns: namespace.dns,
  ...(resolvers === undefined ? {} : { resolvers }),
});

export interface Outsiders {
  readonly refused: NonNullable<Picture['refused']>;
  readonly unasked: readonly string[];
}

/** Those that have no place, and of whom somebody may ask all the same. */
export const outsiders = ({ refused }: Plan, unasked: readonly Unasked[]): Outsiders => ({
  refused: refused.map(({ container, problem }) => ({
    ...{ name: container.name, id: container.id },
    reason: problem.reason,
  })),
  unasked: unasked.map(({ container }) => container.name),
});

/** Undefined while the rules are not known. */
export function pictureOf(
  world: { acl(): Acl | undefined; catalog(): Catalog },
  records: Iterable<NamespaceRecord>,
  { protectedHosts, template }: { readonly protectedHosts: readonly Prefix[]; readonly template: Template },
): Picture | undefined {
  const acl = world.acl();
  if (acl === undefined) return undefined;
  return {
    places: [...records].map((one) => ({
      ...placeOf(one.namespace, one.resolvers),
      state: stateOf(one, template),
      hasForeignRules: one.loaded?.hasForeign,
    })),
    rules: [...acl.values()].map(({ key, text }) => ({ key, text })),
    services: [...world.catalog()].map(([name, instances]) => ({ name, instances })),
    unread: [],
    protectedHosts: protectedHosts.map(formatPrefix),
    denylist: needsUngranted(template),
    recordsRefusals: recordsRefusals(template.source),
  };
}
