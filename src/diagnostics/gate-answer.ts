/**
 * What one gate on the way of a call does with it, for explanations.
 */
import type { Guard } from '../features/host/model.ts';
import type { Container } from '../inventory/container.ts';
import type { Transport } from '../inventory/network.ts';
import type { Prefix } from '../net/address.ts';

/**
 * - `passes`: the gate lets the call through. `denies`: it does not.
 * - `records`: it would deny the call, and only records it (--ports observe, or audit mode).
 * - `unknown`: nothing is known of it.
 */
export type GateOutcome = 'passes' | 'denies' | 'records' | 'unknown';

export interface GateAnswer {
  readonly gate: string;
  readonly outcome: GateOutcome;
  readonly reason: string;
}

/** The first packet of a call to a container. */
export interface Call {
  readonly container: Container;
  readonly source: Prefix;
  readonly protocol: Transport | 'icmp';
  /** The type where the protocol is icmp. */
  readonly port: number;
}

export const passes = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'passes', reason });
export const denies = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'denies', reason });

/** A guard that observes only records the call. */
export const closedGate = (gate: string, { mode }: Guard, reason: string): GateAnswer => ({
  ...{ gate, reason },
  outcome: mode === 'observe' ? 'records' : 'denies',
});

export const unknown = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'unknown', reason });
