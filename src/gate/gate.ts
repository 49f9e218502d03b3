/**
 * The controller's side of the gate: it prepares texts for the gate and reads the gate's records of starts.
 */

import type { Logger } from '../common/logger.ts';
import type { Gate, GateLoaded, PreparedText } from '../features/egress/gate.ts';
import type { IngressGate, PreparedIngress } from '../features/ingress/gate.ts';
import type { Container } from '../inventory/container.ts';
import type { Mode } from '../inventory/workload.ts';
import { PreparedRules } from './prepared-rules.ts';
import { GateRecords } from './records.ts';

/** Settings of the controller that the gate needs. */
export interface GateDefaults {
  /** The mode of workloads without EGRESSTRATOR_MODE. */
  readonly mode: Mode;
  /** The Engine's own resolvers, as far as known. */
  readonly engineResolvers: readonly string[] | undefined;
}

export class FileGate implements Gate, IngressGate {
  readonly #prepared: PreparedRules;
  readonly #records: GateRecords;
  readonly #defaults: GateDefaults;
  #egress: readonly PreparedText[] | undefined;
  #ingress: readonly PreparedIngress[] | undefined;

  constructor(runDir: string, defaults: GateDefaults, log: Logger) {
    this.#prepared = new PreparedRules(runDir, log);
    this.#records = new GateRecords(runDir);
    this.#defaults = defaults;
  }

  prepare(rules: readonly PreparedText[]): void {
    this.#egress = rules;
    this.#keep();
  }

  prepareIngress(rules: readonly PreparedIngress[]): void {
    this.#ingress = rules;
    this.#keep();
  }

  async loadedAtStart(container: Container): Promise<GateLoaded | undefined> {
    const { fingerprint, resolvers } = (await this.#records.read(container)) ?? {};
    return fingerprint === undefined ? undefined : { fingerprint, resolvers: resolvers ?? [] };
  }

  async loadedIngress(container: Container): Promise<string | undefined> {
    return (await this.#records.read(container, 'ingress'))?.fingerprint;
  }

  #keep(): void {
    const { mode, engineResolvers } = this.#defaults;
    const [rules, ingress] = [this.#egress, this.#ingress];
    this.#prepared.keep({ rules, ingress, defaultMode: mode, engineResolvers });
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return this.#prepared.close();
  }
}
