/**
 * The context of a template: compiled, canonical values that this program prints itself. No text from Consul or a
 * label gets here, so none can get into a firewall.
 * `templates/README.md` is the same for people; change both.
 */

import type { DnsPolicy, Mode } from '../../inventory/workload.ts';
import { comparePrefixes, type Family, formatAddress, type Prefix, parseAddress } from '../../net/address.ts';
import type { PortClass } from '../../policy/port-classes.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import { TRAFFIC_SHAPE, type TrafficContext, trafficContext } from '../../policy/traffic-context.ts';
import { ALONE, CALLED, CALLED_MASK, egressMark, INBOUND, OLDER } from '../../rendering/flow-marks.ts';
import type { ShapeOf } from '../../rendering/shape.ts';
import { NAMES_SHAPE, type NamesContext, namesContext } from './names-context.ts';

export interface RenderInput {
  readonly allowed: RuleSet;
  /** Destinations of keys that exist and were not granted; needed where `needsUngranted`. */
  readonly ungranted: RuleSet | undefined;
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Of its rules by name; matter only where DNS is `names`. */
  readonly classes?: readonly PortClass[];
  /** The namespace's resolvers; matter only to templates that print them. */
  readonly resolvers: readonly string[];
}

export interface TemplateContext {
  /** 32 hex digits that stand for this text, whatever namespace it is loaded in. */
  readonly fingerprint: string;
  /** `egresstrator v1 <fingerprint>`: must be in the table's comment, which identifies loaded rules. */
  readonly comment: string;
  /** The conntrack mark of flows admitted under this text, `0x…`. */
  readonly generation: string;
  /** The conntrack mark of flows that came from outside, with the mask: never a generation. Ingress rules use the other bits. */
  readonly called: string;
  readonly calledMask: string;
  /** Of flows that ingress rules let in while there were no egress rules, with the same mask: they count as unmarked. */
  readonly alone: string;
  /** The same for a template that compares the whole mark: each packet of its flows is looked up by ingress rules. */
  readonly inbound: string;
  /** The conntrack mark of TCP connections from outside that are older than all rules; never a generation. */
  readonly older: string;
  /** Record denied traffic, and let it pass. */
  readonly audit: boolean;
  /** DNS is allowed, at its resolvers. */
  readonly dns: boolean;
  readonly names: NamesContext;
  readonly resolvers: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
  readonly allowed: TrafficContext;
  readonly ungranted: TrafficContext;
}

export const CONTEXT_SHAPE: ShapeOf<TemplateContext> = {
  fields: {
    fingerprint: 'text',
    comment: 'text',
    generation: 'text',
    called: 'text',
    calledMask: 'text',
    alone: 'text',
    inbound: 'text',
    older: 'text',
    audit: 'flag',
    dns: 'flag',
    names: NAMES_SHAPE,
    resolvers: { fields: { ipv4: { list: 'text' }, ipv6: { list: 'text' } } },
    allowed: TRAFFIC_SHAPE,
    ungranted: TRAFFIC_SHAPE,
  },
};

/** The fields that identify a text; all others are its content. */
export type Identity = Pick<TemplateContext, 'fingerprint' | 'comment' | 'generation'>;

/** Only what the template mentions is worth printing. */
export const contentOf = (
  input: RenderInput,
  mentions: ReadonlySet<string>,
): Omit<TemplateContext, keyof Identity> => ({
  called: CALLED,
  calledMask: CALLED_MASK,
  alone: ALONE,
  inbound: `0x${INBOUND.toString(16)}`,
  older: `0x${OLDER.toString(16)}`,
  audit: input.mode === 'audit',
  dns: input.dns === 'resolvers',
  names: namesContext(input.dns === 'names', input.classes ?? []),
  resolvers: splitResolvers(input.resolvers),
  allowed: trafficContext(input.allowed, (field) => mentions.has(`allowed.${field}`)),
  ungranted: trafficContext(input.ungranted ?? { layers: [] }, (field) => mentions.has(`ungranted.${field}`)),
});

/** `fingerprint`: 32 hex digits. */
export const identityOf = (fingerprint: string): Identity => ({
  fingerprint,
  comment: `egresstrator v1 ${fingerprint}`,
  generation: egressMark(fingerprint),
});

/** By family, sorted, without duplicates and invalid addresses. */
export function splitResolvers(resolvers: readonly string[]): TemplateContext['resolvers'] {
  const addresses = resolvers.flatMap((resolver) => parseAddress(resolver) ?? []).sort(comparePrefixes);
  const print = (family: Family): readonly string[] => [
    ...new Set(addresses.filter((address) => address.family === family).map(printAddress)),
  ];
  return { ipv4: print(4), ipv6: print(6) };
}

const printAddress = ({ family, address }: Prefix): string => formatAddress(family, address);
