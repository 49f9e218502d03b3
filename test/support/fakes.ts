/**
 * Fakes for scenario tests: Consul, the Engine and kernels in memory, under the test's control. They replace
 * only what depends on time and on failures that cannot be provoked; all code in between is real.
 */

import type { Direction } from '../../src/common/direction.ts';
import { LoadError } from '../../src/common/errors.ts';
import type { Logger } from '../../src/common/logger.ts';
import type { Dataplane, KernelState, Loaded, NamespaceRef } from '../../src/dataplane/dataplane.ts';
import type { NamespaceCounters } from '../../src/dataplane/namespace-counters.ts';
import type { Container, ContainerId } from '../../src/inventory/container.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import type { Network } from '../../src/inventory/network.ts';
import type { Ruleset, RulesetOwner } from '../../src/inventory/ruleset.ts';
import {
  type Instance,
  type NodeService,
  type ServiceRef,
  serviceName,
} from '../../src/inventory/service.ts';
import type { ContainerSource, RuleSource, Watched, WatchedEngine } from '../../src/inventory/sources.ts';
import type { OurRules } from './kernel.ts';

/** A `Watched` that a test sets. */
class Cell<T> implements Watched<T> {
  value: T | undefined;
  error: Error | undefined;
  confirmedAt: number | undefined;
  closed = false;
  readonly #onChange: () => void;
  readonly #now: () => number;

  constructor(
    value: T | undefined,
    error: Error | undefined,
    onChange: () => void,
    now: () => number = Date.now,
  ) {
    this.value = value;
    this.error = error;
    this.confirmedAt = value === undefined ? undefined : now();
    this.#onChange = onChange;
    this.#now = now;
    if (value !== undefined || error !== undefined) queueMicrotask(onChange);
  }

  tell(value: T | undefined, error?: Error): void {
    if (value !== undefined) this.value = value;
    if (value !== undefined) this.confirmedAt = this.#now();
    this.error = error;
    if (!this.closed) this.#onChange();
  }

  /** Says that nothing has changed, which calls nobody. */
  confirm(): void {
    if (this.value === undefined) return;
    this.error = undefined;
    this.confirmedAt = this.#now();
  }

  close(): void {
    this.closed = true;
  }
}

export class FakeConsul implements RuleSource {
  rules: ReadonlyMap<string, string> | undefined;
  ingress: ReadonlyMap<string, string> | undefined = new Map();
  readonly services = new Map<string, readonly Instance[]>();
  readonly muted = new Map<string, Error>();
  error: Error | undefined;
  now: () => number = Date.now;
  readonly #rulesCells: Cell<ReadonlyMap<string, string>>[] = [];
  readonly #ingressCells: Cell<ReadonlyMap<string, string>>[] = [];
  nodeServices: readonly NodeService[] = [];
  readonly #nodeCells: Cell<readonly NodeService[]>[] = [];
  readonly #serviceCells = new Map<string, Cell<readonly Instance[]>>();

  put(rules: Readonly<Record<string, string>>): void {
    this.rules = new Map(Object.entries(rules));
    for (const cell of this.#rulesCells) cell.tell(this.rules);
  }

  putIngress(keys: Readonly<Record<string, string>>): void {
    this.ingress = new Map(Object.entries(keys));
    for (const cell of this.#ingressCells) cell.tell(this.ingress);
  }

  /** True once somebody has asked for the ingress keys. */
  get isAskedForIngress(): boolean {
    return this.#ingressCells.length > 0;
  }

  register(name: string, instances: readonly Instance[]): void {
    this.services.set(name, instances);
    this.#serviceCells.get(name)?.tell(instances);
  }

  /** This service is never told: it fails, as that of a datacenter that is not known. */
  mute(name: string, error: Error): void {
    this.muted.set(name, error);
    this.#serviceCells.get(name)?.tell(undefined, error);
  }

  fail(error: Error | undefined): void {
    this.error = error;
    for (const cell of [...this.#rulesCells, ...this.#ingressCells, ...this.#serviceCells.values()])
      cell.tell(undefined, error);
  }

  /** As `fail`, but calls nobody, as the real one; of services only those that are named, or all. */
  lose(error: Error, ...services: readonly string[]): void {
    if (services.length === 0)
      for (const cell of [...this.#rulesCells, ...this.#ingressCells]) cell.error = error;
    for (const [name, cell] of this.#serviceCells)
      if (services.length === 0 || services.includes(name)) cell.error = error;
  }

  /** It answers that nothing has changed; of services only those that are named, or all. */
  confirm(...services: readonly string[]): void {
    if (services.length === 0)
      for (const cell of [...this.#rulesCells, ...this.#ingressCells]) cell.confirm();
    for (const [name, cell] of this.#serviceCells)
      if (services.length === 0 || services.includes(name)) cell.confirm();
  }

  /** The services watched now. */
  watched(): readonly string[] {
    return [...this.#serviceCells].filter(([, cell]) => !cell.closed).map(([name]) => name);
  }

  async readRules(): Promise<ReadonlyMap<string, string>> {
    return this.rules ?? new Map();
  }

  async readService(ref: ServiceRef): Promise<readonly Instance[]> {
    return this.services.get(serviceName(ref)) ?? [];
  }

  watchRules(
    onChange: () => void,
    _previous?: ReadonlyMap<string, string>,
    direction: Direction = 'egress',
  ): Watched<ReadonlyMap<string, string>> {
    const keys = direction === 'egress' ? this.rules : this.ingress;
    const cell = new Cell(this.error === undefined ? keys : undefined, this.error, onChange, this.now);
    (direction === 'egress' ? this.#rulesCells : this.#ingressCells).push(cell);
    return cell;
  }

  watchService(ref: ServiceRef, onChange: () => void): Watched<readonly Instance[]> {
    const known = this.error === undefined ? this.services.get(serviceName(ref)) : undefined;
    const error = this.error ?? this.muted.get(serviceName(ref));
    const cell = new Cell(known, error, onChange, this.now);
    this.#serviceCells.set(serviceName(ref), cell);
    return cell;
  }

  watchNodeServices(_node: string, onChange: () => void): Watched<readonly NodeService[]> {
    const cell = new Cell(this.error === undefined ? this.nodeServices : undefined, this.error, onChange);
    this.#nodeCells.push(cell);
    return cell;
  }

  /** What is registered on this node from now on. */
  registerOnNode(...services: readonly NodeService[]): void {
    this.nodeServices = services;
    for (const cell of this.#nodeCells) cell.tell(services);
  }

  close(): void {}
}

export class FakeEngine implements ContainerSource {
  readonly containers = new Map<ContainerId, Container>();
  /** Whether the files are on this host in which the Engine keeps the resolvers. */
  seesFiles = true;
  /** The Engine's answer where they are not; a test throws from here, or never answers. */
  beforeResolvers: (container: Container) => Promise<readonly string[]> = async () => ['192.0.2.53'];
  readonly unreadable = new Set<ContainerId>();
  /** Whether it describes all containers that it lists. */
  tellsAll = true;
  readonly networks = { value: new Map<string, Network>(), error: undefined, confirmedAt: 0 };
  readonly #cells: Cell<ReadonlyMap<ContainerId, Container>>[] = [];

  run(...containers: readonly Container[]): void {
    for (const container of containers) this.containers.set(container.id, container);
    this.#tell();
  }

  stop(...ids: readonly ContainerId[]): void {
    for (const id of ids) this.containers.delete(id);
    this.#tell();
  }

  #tell(): void {
    for (const cell of this.#cells) cell.tell(new Map(this.containers));
  }

  async list(): Promise<ReadonlyMap<ContainerId, Container>> {
    return new Map(this.containers);
  }

  watch(onChange: () => void): WatchedEngine {
    const cell = new Cell(new Map(this.containers), undefined, onChange);
    if (!this.tellsAll) cell.confirmedAt = undefined;
    this.#cells.push(cell);
    return Object.assign(cell, { networks: this.networks, unreadable: this.unreadable });
  }

  async resolvers(container: Container): Promise<readonly string[]> {
    return this.beforeResolvers(container);
  }

  async resolversFromFile(): Promise<readonly string[] | undefined> {
    return this.seesFiles ? ['192.0.2.53'] : undefined;
  }

  configuredResolvers(): readonly string[] {
    return ['192.0.2.53', '192.0.2.54'];
  }
}

/** Kernels by namespace: what a text says of itself is what is read back. */
export class FakeKernel implements Dataplane {
  readonly texts = new Map<string, string>();
  readonly loads: string[] = [];
  /** Consulted before each load; a test throws from here. */
  beforeLoad: (namespace: NamespaceRef) => Promise<void> = async () => {};

  async load(namespace: NamespaceRef, { owner, text }: Ruleset): Promise<Loaded> {
    await this.beforeLoad(namespace);
    this.loads.push(owner === 'egress' ? namespace.name : `${namespace.name} ${owner}`);
    this.texts.set(keyOf(namespace, owner), text);
    return this.#loaded(namespace, owner);
  }

  async reload(namespace: NamespaceRef, ruleset: Ruleset): Promise<KernelState> {
    return { loaded: await this.load(namespace, ruleset), denied: NOTHING_DENIED };
  }

  async inspect(namespace: NamespaceRef, owner: RulesetOwner): Promise<KernelState> {
    return { loaded: this.#loaded(namespace, owner), denied: NOTHING_DENIED };
  }

  #loaded(namespace: NamespaceRef, owner: RulesetOwner): Loaded {
    const text = this.texts.get(keyOf(namespace, owner));
    return {
      fingerprint: text?.match(/egresstrator v1 ([0-9a-f]+)/)?.[1],
      facts: text?.match(/define facts = (0x[0-9a-f]+)/)?.[1],
      digest: text === undefined ? undefined : `digest of ${text}`,
    };
  }

  async clear(namespace: NamespaceRef, owner: RulesetOwner = 'egress'): Promise<void> {
    this.texts.delete(keyOf(namespace, owner));
  }

  async add(): Promise<void> {}

  async owners(namespace: NamespaceRef): Promise<readonly RulesetOwner[]> {
    return this.texts.has(keyOf(namespace)) ? ['egress'] : [];
  }

  async denied(): Promise<DeniedRecord> {
    return NOTHING_DENIED;
  }

  async egressCounters(): Promise<string | undefined> {
    return undefined;
  }

  async counters(): Promise<NamespaceCounters | undefined> {
    return undefined;
  }

  async testLoad({ text }: Ruleset): Promise<void> {
    if (text.includes('does not load')) throw new LoadError('nft: syntax error');
  }

  /** What a namespace holds, by its id. */
  held(id: string): OurRules {
    const text = this.texts.get(id);
    return {
      fingerprint: text?.match(/egresstrator v1 ([0-9a-f]+)/)?.[1],
      allows: /set (?:allowed|names4)|-A EGRESSTRATOR-ALLOWED /.test(text ?? ''),
    };
  }

  /** What an owner's text allows in a container's namespace, as it prints it; undefined: nothing loaded. */
  allowed({ id, startedAt }: Container, owner: RulesetOwner = 'egress'): readonly string[] | undefined {
    const text = this.texts.get(keyOf({ containerId: id, startedAt }, owner));
    return (
      text?.match(/[0-9a-f.:/]+ \. (?:tcp|udp) \. [0-9-]+/g)?.sort() ?? (text === undefined ? undefined : [])
    );
  }
}

const keyOf = (
  { containerId, startedAt }: Pick<NamespaceRef, 'containerId' | 'startedAt'>,
  owner: RulesetOwner = 'egress',
): string => `${containerId}@${startedAt}${owner === 'egress' ? '' : ` ${owner}`}`;

/** Keeps what is logged, as `level message`. */
export class FakeLog implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  #at(level: string) {
    return (fields: object, message: string): void => {
      this.lines.push({ level, message, fields });
    };
  }

  messages(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}
