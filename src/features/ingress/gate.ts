/**
 * The gate as ingress sees it: it loads prepared rules before a container's first instruction, so that nobody reaches
 * it before.
 */
import type { Container } from '../../inventory/container.ts';
import type { Mode } from '../../inventory/workload.ts';

/** A text that the gate may load at a container's start. */
export interface PreparedIngress {
  readonly keys: readonly string[];
  readonly mode: Mode;
  /** As it is loaded. */
  readonly text: string;
}

export interface IngressGate {
  /** Prepares exactly these from now on. */
  prepareIngress(texts: readonly PreparedIngress[]): void;
  /** The fingerprint of what the gate loaded at this start; undefined if unknown. */
  loadedIngress(container: Container): Promise<string | undefined>;
}
