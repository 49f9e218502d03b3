/**
 * Keeps the gate's prepared texts up to date, for all seen workloads and the grants of `--prepare`.
 */

import type { DnsPolicy, Mode } from '../../inventory/workload.ts';
import type { DesiredRules } from './desired.ts';
import type { Gate, PreparedText } from './gate.ts';
import { dnsOf } from './name-rules.ts';
import type { Renderer } from './renderer.ts';

/** The settings of a container that its text depends on. */
export interface Request {
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
}

/** The most requests that are kept; the oldest are removed first. */
const MOST = 1000;

export class Preparer {
  readonly #gate: Gate;
  readonly #requests = new Map<string, Request>();
  #prepared: readonly unknown[] = [];

  constructor(gate: Gate, named: readonly Request[]) {
    this.#gate = gate;
    for (const request of named) this.#prepare(request);
  }

  /** Sorted grants, so that the order in which a container names its keys makes no difference. */
  see({ grants, mode, dns }: Request): void {
    this.#prepare({ grants: [...grants].sort(), mode, dns });
  }

  /** All lists of grants to prepare. */
  requests(): readonly Request[] {
    return [...this.#requests.values()];
  }

  /**
   * Prepares a text for each request, once the rules are known. A service that is read later may extend it. `noNames`: why
   * rules by name cannot work on this host.
   */
  prepare(
    wantFor: (grants: readonly string[]) => DesiredRules,
    renderer: Renderer,
    noNames: string | undefined,
  ): void {
    const wants = this.requests().map((request) => ({ request, want: wantFor(request.grants) }));
    const signature = [
      renderer,
      noNames,
      ...wants.flatMap(({ request, want }) => [request, ...inputsOf(want)]),
    ];
    if (sameItems(signature, this.#prepared)) return;
    this.#prepared = signature;
    this.#gate.prepare(wants.flatMap(({ request, want }) => textOf(request, want, renderer, noNames)));
  }

  #prepare(request: Request): void {
    const id = JSON.stringify([request.grants, request.mode, request.dns]);
    const known = this.#requests.get(id) ?? request;
    this.#requests.delete(id);
    this.#requests.set(id, known);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > MOST && oldest !== undefined) this.#requests.delete(oldest);
  }
}

const inputsOf = ({ policy, ungranted, isKnown }: DesiredRules): readonly unknown[] => [
  ...[policy.ruleSet, policy.names, ungranted, isKnown],
];

function textOf(
  request: Request,
  want: DesiredRules,
  renderer: Renderer,
  unavailable: string | undefined,
): readonly PreparedText[] {
  if (!want.isKnown) return [];
  const { mode } = request;
  const dns = preparedDns(dnsOf(request, want.policy, { template: renderer.template, unavailable }));
  return [{ ...request, text: renderer.render({ ...want, mode, dns, resolvers: [] }).text }];
}

/** Nothing answers for names before the controller has seen the container; until then it has no DNS. */
const preparedDns = (dns: DnsPolicy): DnsPolicy => (dns === 'names' ? 'none' : dns);

const sameItems = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);
