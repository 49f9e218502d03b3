/**
 * The firewalls of others on the way of a call, and what networks.json permits and leads elsewhere on it.
 */
import type { HostRuleSet } from '../features/host/model.ts';
import type { Prefix } from '../net/address.ts';
import { type Call, type GateAnswer, passes, unknown } from './gate-answer.ts';
import { bridgeOf, type HostView } from './host-view.ts';
import { type LedAnswer, matchingPermits } from './networks-view.ts';

/** What is permitted passes other firewalls by one rule in each. */
export function permitGates(
  call: Call,
  to: Prefix,
  view: HostView,
  rules: HostRuleSet,
): readonly GateAnswer[] {
  const permitted = permitText(call, to, view, rules);
  if (permitted !== undefined)
    return [passes('networks.json', permitted), ...passageGates(view, call.source.family)];
  if (view.networks === undefined) return [OTHERS];
  const [from, target] = [bridgeOf(call.source, rules), bridgeOf(to, rules)];
  if (from !== undefined && from === target) return [passes('networks.json', SAME_NETWORK), OTHERS];
  return [unknown('networks.json', NOT_PERMITTED), OTHERS];
}

const SAME_NETWORK = 'no policy is needed: the caller is on the same network';

const NOT_PERMITTED =
  'no policy lets this call in, so it passes only if other firewalls let it; Docker lets none in between its networks';

/** Which policies let a call in; undefined: none does. */
export function permitText(call: Call, to: Prefix, view: HostView, rules: HostRuleSet): string | undefined {
  const [one] = matchingPermits({ ...call, to }, rules.permits);
  if (one === undefined) return undefined;
  const paths = matchingPermits({ ...call, to }, view.networks?.permits ?? []).map(
    ({ origin }) => origin.path,
  );
  const all = [...new Set(paths)];
  return all.length === 0 ? one.origin.text : `${all.join(' and ')} of networks.json`;
}

export const leadGate = ({ to, protocol, port, origin, device }: LedAnswer): GateAnswer => {
  const on = device === undefined ? '' : ` for what comes in on its device ${device}`;
  return passes('networks.json', `${origin} leads the port to ${to} ${protocol}/${port}${on}`);
};

/** What is forwarded by our table passes other firewalls by one rule in each. */
export function passageGates({ passages }: HostView, family: 4 | 6): readonly GateAnswer[] {
  if (passages === undefined) return [OTHERS];
  const isMet = (tool: string) => tool.startsWith('ip6tables') === (family === 6);
  return [
    ...passages.passages
      .filter(({ tool }) => isMet(tool))
      .map(({ tool, chain, state }) =>
        state === 'kept'
          ? passes(`${tool} ${chain}`, 'its first rule accepts what this host forwards')
          : unknown(`${tool} ${chain}`, `the rule that accepts what this host forwards is ${state}`),
      ),
    ...passages.dropping
      .filter((chain) => !chain.startsWith(family === 6 ? 'ip ' : 'ip6 '))
      .map((chain) => unknown(chain, 'it drops what is forwarded unless a rule of its own accepts it')),
    ...[...passages.lacking, ...passages.failing]
      .filter(isMet)
      .map((tool) => unknown(tool, 'its rules cannot be changed')),
  ];
}

/** Other firewalls of the host: DOCKER-USER, FORWARD, raw. */
export const OTHERS: GateAnswer = {
  ...{ gate: 'other firewalls', outcome: 'unknown' },
  reason:
    'rules of other programs on this host were not read; "nft list ruleset" and "iptables-save" list them',
};
