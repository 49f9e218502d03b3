/**
 * Keeps the gate's prepared texts up to date, for the ingress keys of all containers that were seen and those of
 * `--prepare-ingress`.
 */
import type { IngressWorkload } from '../../inventory/workload.ts';
import type { DesiredRules } from './desired.ts';
import type { IngressGate, PreparedIngress } from './gate.ts';
import type { IngressRenderer } from './render.ts';

/** What a container's text depends on; the keys are sorted. */
type Request = Pick<IngressWorkload, 'keys' | 'mode'>;

/** The most requests that are kept; the oldest are removed first. */
const MOST = 1000;

export class IngressPreparer {
  readonly #gate: IngressGate;
  readonly #renderer: IngressRenderer;
  readonly #requests = new Map<string, Request>();
  #prepared: readonly unknown[] | undefined;

  /** `named`: requests of nobody yet. */
  constructor(gate: IngressGate, renderer: IngressRenderer, named: readonly Request[] = []) {
    this.#gate = gate;
    this.#renderer = renderer;
    for (const request of named) this.see(request);
  }

  see({ keys, mode }: Request): void {
    const request = { keys: [...keys].sort(), mode };
    const id = JSON.stringify([request.keys, mode]);
    const known = this.#requests.get(id) ?? request;
    this.#requests.delete(id);
    this.#requests.set(id, known);
    const [oldest] = this.#requests.keys();
    if (this.#requests.size > MOST && oldest !== undefined) this.#requests.delete(oldest);
  }

  /** All lists of keys to prepare. */
  requests(): readonly Request[] {
    return [...this.#requests.values()];
  }

  /** Prepares a text for each request, once the keys are known. A service that is read later may extend it. */
  prepare(rulesFor: (keys: readonly string[]) => DesiredRules): void {
    const all = this.requests().map((request) => ({ request, rules: rulesFor(request.keys) }));
    if (all.some(({ rules }) => !rules.isKnown)) return;
    const signature = all.flatMap(({ request, rules }) => [request, rules.policy.ruleSet]);
    if (this.#prepared !== undefined && sameItems(signature, this.#prepared)) return;
    this.#prepared = signature;
    this.#gate.prepareIngress(all.map(({ request, rules }) => this.#textOf(request, rules)));
  }

  #textOf({ keys, mode }: Request, { policy }: DesiredRules): PreparedIngress {
    return { keys, mode, text: this.#renderer.render(policy, mode).text };
  }
}

const sameItems = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);
