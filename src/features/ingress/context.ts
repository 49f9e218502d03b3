/**
 * The context of the template `ingress.hbs`: compiled, canonical values that this program prints itself, so that no text
 * from Consul or a label gets into a firewall.
 */
import type { Mode } from '../../inventory/workload.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import { TRAFFIC_SHAPE, type TrafficContext, trafficContext } from '../../policy/traffic-context.ts';
import {
  ALONE,
  aloneGeneration,
  CALLED,
  CALLED_MASK,
  ingressGeneration,
} from '../../rendering/flow-marks.ts';
import type { ShapeOf } from '../../rendering/shape.ts';

export interface IngressContext {
  /** 32 hex digits that stand for this text. */
  readonly fingerprint: string;
  /** `egresstrator v1 <fingerprint>`: must be in the table's comment, which identifies loaded rules. */
  readonly comment: string;
  /** The conntrack mark of flows that were let in under this text. */
  readonly generation: string;
  /** The same for flows that egress rules have not marked. */
  readonly generationAlone: string;
  /** The marks of all flows from outside, with the mask: such a flow may be marked with the generation. */
  readonly called: string;
  readonly calledMask: string;
  /** The marks of all flows that were let in while there were no egress rules, with the same mask. */
  readonly alone: string;
  /** Record denied calls, and let them pass. */
  readonly audit: boolean;
  /** Callers, with the ports of this namespace that they may reach. */
  readonly allowed: TrafficContext;
}

export const INGRESS_SHAPE: ShapeOf<IngressContext> = {
  fields: {
    fingerprint: 'text',
    comment: 'text',
    generation: 'text',
    generationAlone: 'text',
    called: 'text',
    calledMask: 'text',
    alone: 'text',
    audit: 'flag',
    allowed: TRAFFIC_SHAPE,
  },
};

export const ingressContent = (
  allowed: RuleSet,
  mode: Mode,
  mentions: ReadonlySet<string>,
): Pick<IngressContext, 'called' | 'calledMask' | 'alone' | 'audit' | 'allowed'> => ({
  called: CALLED,
  calledMask: CALLED_MASK,
  alone: ALONE,
  audit: mode === 'audit',
  allowed: trafficContext(allowed, (field) => mentions.has(`allowed.${field}`)),
});

/** What the text says of itself. `fingerprint`: 32 hex digits. */
export const ingressIdentity = (
  fingerprint: string,
): Pick<IngressContext, 'fingerprint' | 'comment' | 'generation' | 'generationAlone'> => ({
  fingerprint,
  comment: `egresstrator v1 ${fingerprint}`,
  generation: ingressGeneration(fingerprint),
  generationAlone: aloneGeneration(fingerprint),
});
