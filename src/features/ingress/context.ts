/**
 * The context of the template `ingress.hbs`: compiled, canonical values that this program prints itself, so that no text
 * from Consul or a label gets into a firewall.
 */
import type { Mode } from '../../inventory/workload.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import { TRAFFIC_SHAPE, type TrafficContext, trafficContext } from '../../policy/traffic-context.ts';
import type { ShapeOf } from '../../rendering/shape.ts';

export interface IngressContext {
  /** 32 hex digits that stand for this text. */
  readonly fingerprint: string;
  /** `egresstrator v1 <fingerprint>`: must be in the table's comment, which identifies loaded rules. */
  readonly comment: string;
  /** The conntrack mark of flows that were let in under this text: 28 bits of the fingerprint in a range of its own. */
  readonly generation: string;
  /** Record denied calls, and let them pass. */
  readonly audit: boolean;
  /** Callers, with the ports of this namespace that they may reach. */
  readonly allowed: TrafficContext;
}

export const INGRESS_SHAPE: ShapeOf<IngressContext> = {
  fields: { fingerprint: 'text', comment: 'text', generation: 'text', audit: 'flag', allowed: TRAFFIC_SHAPE },
};

export const ingressContent = (
  allowed: RuleSet,
  mode: Mode,
  mentions: ReadonlySet<string>,
): Pick<IngressContext, 'audit' | 'allowed'> => ({
  audit: mode === 'audit',
  allowed: trafficContext(allowed, (field) => mentions.has(`allowed.${field}`)),
});

/** What the text says of itself. `fingerprint`: 32 hex digits. */
export const ingressIdentity = (
  fingerprint: string,
): Pick<IngressContext, 'fingerprint' | 'comment' | 'generation'> => ({
  fingerprint,
  comment: `egresstrator v1 ${fingerprint}`,
  generation: `0xe${fingerprint.slice(0, 7)}`,
});
