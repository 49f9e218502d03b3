/**
 * Finds containers that name ACL keys without EGRESSTRATOR_ENABLE=1: EGRESSTRATOR_ACL alone does nothing, but its
 * author believes that the container is protected.
 */

import type { Problem } from '../../common/problem.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { readSetting } from '../../inventory/container-settings.ts';
import { ACL, ENABLE } from '../../inventory/workload.ts';
import type { Workloads } from './workload-namespaces.ts';

export interface NotEnabled {
  readonly container: Container;
  readonly problem: Problem;
}

const NOT_ENABLED: Problem = {
  severity: 'warning',
  reason:
    'it names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules and can reach everything; start it again with both',
};

/**
 * `isByHand`: an operator has set its rules. A container that shares another's network is left out, because that
 * one's rules may apply to it.
 */
export function notEnabled(
  containers: ReadonlyMap<ContainerId, Container>,
  { namespaces }: Pick<Workloads, 'namespaces'>,
  isByHand: (container: Container) => boolean = () => false,
): readonly NotEnabled[] {
  const held = new Set(namespaces.map(({ target }) => target.id));
  return [...containers.values()]
    .filter((one) => one.running && one.network.kind === 'own' && namesKeysAlone(one))
    .filter((one) => !held.has(one.id) && !isByHand(one))
    .map((container) => ({ container, problem: NOT_ENABLED }));
}

/** EGRESSTRATOR_ENABLE=0 is a decision. */
const namesKeysAlone = (container: Container): boolean =>
  readSetting(ENABLE, container).candidates.length === 0 &&
  readSetting(ACL, container).candidates.some((value) => value.trim() !== '');
