/**
 * What the controller is given: its options, and the parts of the program that it uses.
 */
import type { HostOptions } from '../features/host/host.ts';
import type { IngressGate } from '../features/ingress/gate.ts';
import type { IngressTemplate } from '../features/ingress/render.ts';
import type { EngineRules } from '../inventory/engine-rules.ts';
import type { ReconcilerOptions } from '../reconciler/reconciler.ts';
import type { HostRulesPorts } from './host-rules.ts';
import type { IngressPorts } from './ingress-rules.ts';
import type { SourceOptions, SourcePorts } from './inventory-reader.ts';
import type { NetworksPorts } from './networks-rules.ts';
import type { Seen } from './watch/seen-changes.ts';
import type { WorkloadRulesOptions, WorkloadRulesPorts } from './workload-rules.ts';

export interface ControllerOptions
  extends SourceOptions,
    Omit<ReconcilerOptions, 'onDefect' | 'onEnded'>,
    WorkloadRulesOptions {
  /** Undefined: the host has no rules of ours. */
  readonly host?: HostOptions | undefined;
  /** The path of networks.json; undefined: there is none. It needs `host`. */
  readonly networks?: string | undefined;
  /** This host's name in Consul. */
  readonly node?: string | undefined;
  /** Of rules about who may reach containers. */
  readonly ingressTemplate: IngressTemplate;
  /** Lists of ingress keys to prepare for the gate. */
  readonly prepareIngress?: readonly (readonly string[])[] | undefined;
}

export interface ControllerPorts
  extends Omit<SourcePorts, 'firewall'>,
    Omit<WorkloadRulesPorts, 'requestSync'>,
    Omit<HostRulesPorts, 'requestSync'>,
    IngressPorts,
    Partial<Omit<NetworksPorts, 'dataplane' | 'log' | 'onDrift'>> {
  /** Reads the Engine's own rules on its host, for `--forwards auto`. */
  readonly readEngineRules?: (() => Promise<EngineRules>) | undefined;
  /** The last good text of networks.json in the previous run. */
  readonly previousNetworks?: string | undefined;
  /** Called with a good text that is new. */
  readonly persistNetworks?: (text: string) => void;
  /** The gate for rules about who may reach containers. */
  readonly ingressGate?: IngressGate | undefined;
  /** Called at the end of each sync, with what it has seen. */
  readonly onSynced?: ((seen: Seen) => void) | undefined;
  /** Called at the end of each job. */
  readonly onReconciled?: () => void;
}
