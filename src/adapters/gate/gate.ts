/**
 * The gate as the controller knows it: prepared texts on the one side, records of starts on the other.
 */
import type { Gate, GateLoaded, Logger, PreparedText } from '../../controller/ports.ts';
import type { Container } from '../../domain/container.ts';
import type { Mode } from '../../domain/workload.ts';
import { PreparedRules } from './prepared-rules.ts';
import { GateRecords } from './records.ts';

/** What the gate can't find out by itself. */
export interface Given {
  /** The mode of workloads that name none. */
  readonly mode: Mode;
  /** The Engine's own resolvers, as far as known. */
  readonly engineResolvers: readonly string[] | undefined;
}

export class FileGate implements Gate {
  readonly #prepared: PreparedRules;
  readonly #records: GateRecords;
  readonly #given: Given;

  constructor(runDir: string, given: Given, log: Logger) {
    this.#prepared = new PreparedRules(runDir, log);
    this.#records = new GateRecords(runDir);
    this.#given = given;
  }

  prepare(rules: readonly PreparedText[]): void {
    const { mode, engineResolvers } = this.#given;
    this.#prepared.keep({ rules, defaultMode: mode, engineResolvers });
  }

  async loadedAtStart(container: Container): Promise<GateLoaded | undefined> {
    const { fingerprint, resolvers } = (await this.#records.read(container)) ?? {};
    return fingerprint === undefined ? undefined : { fingerprint, resolvers: resolvers ?? [] };
  }

  /** Resolves when all is written. */
  close(): Promise<void> {
    return this.#prepared.close();
  }
}
