/**
 * `egresstrator explain`: shows whether a container can reach an address or a service, why, and what would change it.
 */

import { messageOf, UnansweredError, UsageError, UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { formatDestination } from '../../diagnostics/destination.ts';
import { createExplainer, type Explanation, type PolicyView } from '../../diagnostics/explain.ts';
import { pickNamespace, viewOf } from '../../diagnostics/policy-view.ts';
import { ReasonIndex } from '../../diagnostics/reason-index.ts';
import { formatPrefix, type Prefix } from '../../net/address.ts';
import { grantedKeys, matchesFor, type RuleMatch } from '../../policy/compile.ts';
import { commandContext, DENYLIST_NOTE } from '../diagnostics/context.ts';
import { learn } from '../diagnostics/source.ts';
import { instancesOf, parseTarget, type Target } from '../diagnostics/targets.ts';
import { formatExplanation, formatHost } from '../format/explain.ts';

export interface Wanted {
  readonly container: string;
  readonly target: string;
  readonly traffic: string | undefined;
}

/** With --exit-code, exit code 1 is the answer "no", so an error exits with 2. */
export async function explain(wanted: Wanted, flags: Flags, terminal: Terminal): Promise<void> {
  const target = parseTarget(wanted.target, wanted.traffic);
  if (flags.exitCode !== true) {
    await answer(wanted, target, flags, terminal);
    return;
  }
  if (target.kind === 'host')
    throw new UsageError(
      `--exit-code needs a protocol and a port: add them after ${wanted.target}, such as tcp/443`,
    );
  const isReachable = await answer(wanted, target, flags, terminal).catch((error: unknown) => {
    throw error instanceof UsageError ? error : new UnansweredError(messageOf(error), { cause: error });
  });
  if (!isReachable) throw new UserError(`${wanted.container} cannot reach all of it (--exit-code)`);
}

/** Prints why; true if everything that was asked about passes. */
async function answer(wanted: Wanted, target: Target, flags: Flags, terminal: Terminal): Promise<boolean> {
  const { config, output, paint } = commandContext(flags, terminal);
  const also = target.kind === 'service' ? [wanted.target] : [];
  const known = await learn({ scope: 'all', also, container: wanted.container }, config, terminal);
  const place = pickNamespace(known.places, wanted.container, known);
  const view = viewOf(known, place);
  const { grants, state } = place;
  const keys = grants.filter((key) => known.acl.has(key));
  const asked = { container: wanted.container, grants, keys, state };
  if (target.kind === 'host') {
    if (known.denylist) output.note(DENYLIST_NOTE);
    const reasons = reasonsAt(target.host, view);
    const host = formatPrefix(target.host);
    output.result({ asked, reasons }, (seen) => formatHost(seen.asked, host, seen.reasons), {
      ...asked,
      host,
      reasons: reasons.map(plainReason),
    });
    return reasons.length > 0;
  }
  const destinations =
    target.kind === 'service'
      ? instancesOf(target.rule, view.catalog).map(([, one]) => one)
      : target.destinations;
  const explanations = destinations.map(createExplainer(view));
  output.result(
    { asked, explanations },
    (seen) => seen.explanations.map((one) => formatExplanation(seen.asked, one, paint)).join('\n\n'),
    { ...asked, explanations: explanations.map(plainExplanation) },
  );
  const isIsolated = ({ cause }: Explanation) => state === 'isolated' && cause.kind === 'rules';
  return explanations.every((one) => one.passes && !isIsolated(one));
}

/** Lines that allow anything at a host. */
function reasonsAt(host: Prefix, { grants, acl, catalog, protectedHosts }: PolicyView): readonly RuleMatch[] {
  const index = new ReasonIndex(
    matchesFor(grantedKeys(grants, acl), catalog, protectedHosts).reasons,
    protectedHosts,
  );
  return index.at(host);
}

const plainReason = ({ key, line, instance, allowance }: RuleMatch) => ({
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
