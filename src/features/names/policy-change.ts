/**
 * Another policy for a namespace, while workloads hold addresses that they resolved under the one before.
 */
import { type Name, nameOfKey } from '../../dns/name.ts';
import type { Prefix } from '../../net/address.ts';
import { formatNames, type NameRule } from '../../policy/name-rule.ts';
import { timeoutFor } from '../../policy/name-seal.ts';
import { classOf } from '../../policy/port-classes.ts';
import { whyNotGranted } from './addresses.ts';
import type { NamePolicy } from './decision.ts';
import type { NameState } from './exchange.ts';
import { elementKey, FORGOTTEN, type GrantElement, type HeldGrant, type WantedGrant } from './grant.ts';
import type { Reservation } from './grant-table.ts';
import { lostRules, matchRules } from './matching.ts';

export interface PolicyChange {
  /** No name may have them any more: to be removed from the kernel at once, and their flows end. */
  readonly removed: readonly GrantElement[];
  /** Flows may exist that no name may have any more: to what is removed, or to what was granted earlier. */
  readonly endsFlows: boolean;
  /**
   * What new rules grant of the addresses that workloads have already: they do not ask again while they keep those. To
   * be sent, and confirmed.
   */
  readonly reservations: readonly Reservation[];
}

/** Elements that other names hold as well stay, and so do all that both policies grant. */
export const changePolicy = (state: NameState, policy: NamePolicy, now: number): PolicyChange => {
  const confirmed = state.grants.held(now).filter(({ needed, until }) => Math.min(needed, until) > now);
  const held = Map.groupBy(confirmed, ({ name }) => name);
  const isForgottenAllowed = forgottenUnder(state.policy, policy);
  state.policy = policy;
  const isAllowed = (name: string, element: GrantElement): boolean =>
    name === FORGOTTEN
      ? isForgottenAllowed(element)
      : classesOf(policy, nameOfKey(name), element.address).includes(element.portClass);
  const removed = state.grants.retain(isAllowed);
  const havePastEnded = state.grants.past.retain(isAllowed);
  state.fresh.retain(new Set(policy.index.rules.map(formatNames)));
  const reservations = [...held].flatMap(([name, grants]) => {
    const wanted = newGrants(policy, nameOfKey(name), grants, now);
    const reserved = wanted.length === 0 ? undefined : state.grants.reserve(name, wanted, now);
    return reserved === undefined || 'exceeded' in reserved ? [] : [reserved];
  });
  return { removed, endsFlows: removed.length > 0 || havePastEnded, reservations };
};

/**
 * Whether an element stays whose name is not known: while a rule may have granted it, and none of those that may have
 * goes.
 */
const forgottenUnder = (before: NamePolicy, after: NamePolicy): ((element: GrantElement) => boolean) => {
  const lost = lostRules(before.index, after.index);
  const isOf = (rules: readonly NameRule[], { never }: NamePolicy, { portClass, address }: GrantElement) =>
    rules.some((rule) => classOf(rule) === portClass && whyNotGranted(address, rule, never) === undefined);
  return (element) => isOf(after.index.rules, after, element) && !isOf(lost, before, element);
};

/** The port classes in which a policy grants an address to a name. */
const classesOf = ({ index, never }: NamePolicy, name: Name, address: Prefix): readonly string[] =>
  matchRules(index, name)
    .filter((rule) => whyNotGranted(address, rule, never) === undefined)
    .map(classOf);

const newGrants = (
  policy: NamePolicy,
  name: Name,
  held: readonly HeldGrant[],
  now: number,
): readonly WantedGrant[] => {
  const known = new Set(held.map(elementKey));
  return held.flatMap(({ address, needed, until }) => {
    const grant = Math.ceil((Math.min(needed, until) - now) / 1000);
    return classesOf(policy, name, address)
      .map((portClass) => ({ portClass, address, grant, timeout: timeoutFor(grant), enough: grant }))
      .filter((one) => !known.has(elementKey(one)));
  });
};
