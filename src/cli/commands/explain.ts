/**
 * `egresstrator explain`: may a container reach an address or a service, why, and what would change it.
 */
import type { Flags } from '../../config/config.ts';
import { formatPrefix, type Prefix } from '../../domain/address.ts';
import { formatDestination } from '../../domain/insight/destination.ts';
import { createExplainer, type Explanation, type Viewpoint } from '../../domain/insight/explain.ts';
import { ReasonIndex } from '../../domain/insight/reason-index.ts';
import { grantedKeys, type Reason, reasonsFor } from '../../domain/resolve.ts';
import { ask, DENYLIST_NOTE } from '../insight/context.ts';
import { pickPlace, viewOf } from '../insight/knowledge.ts';
import { learn } from '../insight/source.ts';
import { instancesOf, parseTarget } from '../insight/targets.ts';
import type { Terminal } from '../output.ts';
import { presentExplanation, presentHost } from '../present/explain.ts';

export interface Wanted {
  readonly container: string;
  readonly target: string;
  readonly traffic: string | undefined;
}

export async function explain(wanted: Wanted, flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, paint } = ask(flags, terminal);
  const target = parseTarget(wanted.target, wanted.traffic);
  const also = target.kind === 'service' ? [wanted.target] : [];
  const answer = await learn({ scope: 'all', also, container: wanted.container }, config, terminal);
  const place = pickPlace(answer.places, wanted.container, answer);
  const view = viewOf(answer, place);
  const { grants, state } = place;
  const keys = grants.filter((key) => answer.acl.has(key));
  const asked = { container: wanted.container, grants, keys, state };
  if (target.kind === 'host') {
    if (answer.denylist) output.note(DENYLIST_NOTE);
    const reasons = reasonsAt(target.host, view);
    const host = formatPrefix(target.host);
    return output.result({ asked, reasons }, (seen) => presentHost(seen.asked, host, seen.reasons), {
      ...asked,
      host,
      reasons: reasons.map(plainReason),
    });
  }
  const destinations =
    target.kind === 'service'
      ? instancesOf(target.rule, view.catalog).map(([, one]) => one)
      : target.destinations;
  const explanations = destinations.map(createExplainer(view));
  output.result(
    { asked, explanations },
    (seen) => seen.explanations.map((one) => presentExplanation(seen.asked, one, paint)).join('\n\n'),
    { ...asked, explanations: explanations.map(plainExplanation) },
  );
}

/** Lines that allow anything at a host. */
function reasonsAt(host: Prefix, { grants, acl, catalog, protectedHosts }: Viewpoint): readonly Reason[] {
  const index = new ReasonIndex(
    reasonsFor(grantedKeys(grants, acl), catalog, protectedHosts).reasons,
    protectedHosts,
  );
  return index.at(host);
}

const plainReason = ({ key, line, instance, allowance }: Reason) => ({
  key,
  line: line.line,
  text: line.text,
  node: instance?.node,
  prefix: formatPrefix(allowance.prefix),
  protocol: allowance.protocol,
  ranges: allowance.ranges,
});

/** Prefixes and parsed rules are ours; what leaves the program is text. */
function plainExplanation({ destination, allowed, passes, cause }: Explanation) {
  const base = { destination: formatDestination(destination), allowed, passes, because: cause.kind };
  if (cause.kind === 'rules' || cause.kind === 'closed')
    return { ...base, reasons: cause.reasons.map(plainReason) };
  if (cause.kind !== 'nothing') return base;
  const hints = cause.hints.map((hint) => {
    if ('reason' in hint) return { ...hint, reason: plainReason(hint.reason) };
    return 'line' in hint ? { ...hint, line: hint.line.line, text: hint.line.text } : hint;
  });
  return { ...base, hints };
}
