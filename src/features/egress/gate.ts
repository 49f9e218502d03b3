/**
 * The gate as the rest of the program sees it: the OCI runtime that loads rules before a container's first instruction.
 */
import type { Container } from '../../inventory/container.ts';
import type { DnsPolicy, Mode } from '../../inventory/workload.ts';

/** A text that the gate may load at a container's start. */
export interface PreparedText {
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** As rendered, without facts. */
  readonly text: string;
}

/** The gate, which loads rules before a container's first instruction. */
export interface Gate {
  /** Prepares exactly these from now on. */
  prepare(texts: readonly PreparedText[]): void;
  /** What the gate loaded at this start; undefined if unknown. */
  loadedAtStart(container: Container): Promise<GateLoaded | undefined>;
}

export interface GateLoaded {
  readonly fingerprint: string;
  /** The resolvers that it allowed. */
  readonly resolvers: readonly string[];
}
