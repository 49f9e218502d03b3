/**
 * The gate as the controller knows it: prepared texts on the one side, records of starts on the other.
 */
import type { Gate, GateLoaded, Logger, PreparedText } from '../../controller/ports.ts';
import type { Container } from '../../domain/container.ts';
import type { Mode } from '../../domain/workload.ts';
import { PreparedRules } from './prepared-rules.ts';
import { GateRecords } from './records.ts';

export class FileGate implements Gate {
  readonly #prepared: PreparedRules;
  readonly #records: GateRecords;
  readonly #defaultMode: Mode;

  constructor(runDir: string, defaultMode: Mode, log: Logger) {
    this.#prepared = new PreparedRules(runDir, log);
    this.#records = new GateRecords(runDir);
    this.#defaultMode = defaultMode;
  }

  prepare(rules: readonly PreparedText[]): void {
    this.#prepared.keep({ rules, defaultMode: this.#defaultMode });
  }

  async loadedAtStart(container: Container): Promise<GateLoaded | undefined> {
    const record = await this.#records.read(container);
    return record && { fingerprint: record.fingerprint, resolvers: record.resolvers };
  }

  /** Resolves when all is written. */
  close(): Promise<void> {
    return this.#prepared.close();
  }
}
