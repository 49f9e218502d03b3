/**
 * The tables that a page shows. The controller fills them, the page's process passes them on, the browser reads them:
 * all three use these types. Entries are plain JSON, without bigint; times are in ms since the epoch, by the host's clock.
 *
 * Texts in them may come from a workload (names of containers, images, keys): they are never markup.
 */
import type { Problem } from '../common/problem.ts';
import type { DeniedRow } from '../diagnostics/denied-answer.ts';
import type { DeniedCall } from '../diagnostics/denied-in.ts';
import type { DeniedNameRow } from '../diagnostics/denied-names.ts';
import type { HostAnswer } from '../diagnostics/host-view.ts';
import type { NetworksSummary } from '../diagnostics/networks-view.ts';
import type { NamespaceStatus } from '../features/egress/status.ts';
import type { IngressStatus } from '../features/ingress/status.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { DeniedSummary } from '../inventory/denied-record.ts';
import type { Instance } from '../inventory/service.ts';
import type { Mode } from '../inventory/workload.ts';

/** Each table by its name, with the type of its entries. What an entry's id is stands at the table. */
export interface Tables {
  /** One entry, `controller`. */
  readonly controller: ControllerEntry;
  /** By namespace id. */
  readonly workloads: WorkloadEntry;
  /** By namespace id: the rules about callers. */
  readonly ingress: IngressStatus;
  /** By the source's name. */
  readonly sources: SourceEntry;
  /** By name: workloads that cannot have rules. */
  readonly unsupported: WithoutRules;
  /** By name: containers that name keys without EGRESSTRATOR_ENABLE=1. */
  readonly notEnabled: WithoutRules;
  /** By the ACL key's name. */
  readonly keys: KeyEntry;
  /** By the ingress key's name. */
  readonly ingressKeys: KeyEntry;
  /** By the service's name as rules write it: those that keys name. */
  readonly services: ServiceEntry;
  /** By `deniedId`. */
  readonly denied: DeniedEntry;
  /** By `deniedNameId`. */
  readonly deniedNames: DeniedNameRow;
  /** By container. */
  readonly deniedRecords: DeniedRecordEntry;
  /** By `deniedCallId`: calls that the ports guard or ingress rules denied. */
  readonly deniedCalls: DeniedCall;
  /** By namespace id: where names are answered. */
  readonly names: NamesReport;
  /** One entry, `host`. */
  readonly host: HostAnswer;
  /** One entry, `networks`; none without networks.json. */
  readonly networks: NetworksSummary;
  /** By a number that grows; the newest have the highest. */
  readonly events: TimelineEvent;
  /** By node: all hosts that publish their status in Consul. */
  readonly hosts: HostEntry;
}

export type TableName = keyof Tables;

/** The order in which tables are sent. */
export const TABLE_NAMES = [
  'controller',
  'sources',
  'workloads',
  'ingress',
  'unsupported',
  'notEnabled',
  'keys',
  'ingressKeys',
  'services',
  'denied',
  'deniedNames',
  'deniedRecords',
  'deniedCalls',
  'names',
  'host',
  'networks',
  'events',
  'hosts',
] as const satisfies readonly TableName[];

export interface ControllerEntry {
  readonly version: string;
  /** The host's name. */
  readonly node: string;
  readonly loader: string;
  readonly template: string;
  readonly startedAt: number;
  /** Where the keys are in Consul, each with a slash at its end. */
  readonly kvPath: string;
  readonly ingressPath: string;
  /** Addresses, as configured. */
  readonly consul: string;
  readonly docker: string;
  /** The mode of workloads without EGRESSTRATOR_MODE. */
  readonly mode: Mode;
  /** The template denies only destinations of keys that are not granted. */
  readonly denylist: boolean;
  /** The template records denied destinations. */
  readonly recordsDenied: boolean;
  /** Prefixes in CIDR notation. */
  readonly protectedHosts: readonly string[];
  /** False until the rules and the containers were read. */
  readonly isReady: boolean;
  /** Containers that the Engine cannot inspect. */
  readonly unreadable: readonly string[];
  /** Where hosts publish their status in Consul; undefined: this one does not. */
  readonly publish?: string | undefined;
  /** The keys are not known: `keys`, `services` and `denied` are not complete. */
  readonly keysUnknown?: string | undefined;
}

/** A namespace with rules, or one that should have them. */
export interface WorkloadEntry extends NamespaceStatus {
  /** Ids of the containers inside, in the order of `workloads`. */
  readonly ids: readonly string[];
  /** The compose project of the container whose namespace it is. */
  readonly project?: string | undefined;
  /** Undefined until they are read. */
  readonly resolvers?: readonly string[] | undefined;
  /** Rules of other programs deny packets there as well. */
  readonly hasForeignRules?: boolean | undefined;
}

export interface SourceEntry {
  readonly name: string;
  readonly known: boolean;
  readonly confirmedAt?: number | undefined;
  readonly error?: string | undefined;
  readonly outdated?: boolean | undefined;
}

export interface WithoutRules {
  readonly name: string;
  readonly problem: Problem;
  /** Undefined of those that are not enabled. */
  readonly id?: string | undefined;
}

export interface KeyEntry {
  readonly text: string;
}

export interface ServiceEntry {
  readonly instances: readonly Instance[];
  /** Why it could not be read. */
  readonly unread?: string | undefined;
}

/** The record of denied packets of one container. */
export interface DeniedRecordEntry {
  readonly summary?: DeniedSummary | undefined;
  readonly mode: Mode;
  /** When its kernel was asked. */
  readonly readAt: number;
  /** The covered period in ms. */
  readonly covers?: number | undefined;
  /** Why its kernel could not be read. */
  readonly error?: string | undefined;
  /** Older destinations that `denied` has no room for; absent: none. */
  readonly omitted?: number | undefined;
}

export const EVENT_KINDS = [
  'controller',
  'key',
  'workload',
  'load',
  'repair',
  'source',
  'override',
  'host',
  'template',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Something that happened, one line for people. */
export interface TimelineEvent {
  readonly at: number;
  readonly kind: EventKind;
  /** The container, key or source that it is about. */
  readonly subject: string;
  readonly text: string;
  /** Milliseconds that it took. */
  readonly took?: number | undefined;
  readonly isProblem?: boolean | undefined;
}

/** The status that one host has published. */
export interface HostEntry {
  readonly version: string;
  /** When it was written. */
  readonly at: number;
  /** False after a normal stop. */
  readonly running: boolean;
  /** Workloads by state. */
  readonly states: Readonly<Record<string, number>>;
  readonly workloads: readonly {
    readonly name: string;
    readonly state: string;
    readonly keys: readonly string[];
  }[];
  readonly errors: readonly string[];
}

export const deniedNameId = ({ container, name, cause }: DeniedNameRow): string =>
  [container, name, cause].join(' ');

export const deniedCallId = ({ gate, source, address, protocol, port }: DeniedCall): string =>
  [gate ?? 'guard', source, address, protocol, port ?? ''].join(' ');

export interface DeniedEntry extends DeniedRow {
  /** Of a container that has ended: how it ran. */
  readonly ended?: EndedWorkload | undefined;
}

export interface EndedWorkload {
  readonly mode: Mode;
  readonly grants: readonly string[];
}

export const deniedId = ({ container, address, protocol, port }: DeniedRow): string =>
  [container, address, protocol, port ?? ''].join(' ');
