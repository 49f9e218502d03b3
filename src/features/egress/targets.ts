/**
 * Finds the containers of `set`, `clear` and `render`.
 */

import { UsageError, UserError } from '../../common/errors.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { pickContainer } from '../../inventory/pick-container.ts';
import { type Mode, parseWorkload, type Workload } from '../../inventory/workload.ts';
import { planNamespaces, type UnsupportedWorkload, type WorkloadNamespace } from './workload-namespaces.ts';

export type ContainerChoice = { readonly all: true } | { readonly name: string };

/** Throws a `UsageError` unless exactly one of a container and --all is given. */
export function chosen(container: string | undefined, all: unknown): ContainerChoice {
  if (all === true && container === undefined) return { all: true };
  if (all !== true && container !== undefined) return { name: container };
  throw new UsageError('give either a container or --all');
}

export interface TargetSelection {
  readonly choice: ContainerChoice;
  /** These ACL keys instead of the containers' own. */
  readonly grants: readonly string[] | undefined;
  readonly mode: Mode;
}

export interface Targets {
  readonly namespaces: readonly WorkloadNamespace[];
  /** With --all: the unsupported ones. */
  readonly unsupported: readonly UnsupportedWorkload[];
}

/** The selected namespaces. Throws a `UserError` for a single unsupported container. */
export function chooseTargets(
  containers: ReadonlyMap<ContainerId, Container>,
  selection: TargetSelection,
): Targets {
  const chosenId =
    'name' in selection.choice ? pickContainer(containers, selection.choice.name).id : undefined;
  const plan = planNamespaces(containers, (one) => readSelection(one, one.id === chosenId, selection));
  const mine = ({ id }: Container) => chosenId === undefined || id === chosenId;
  const unsupported = plan.unsupported.filter(({ container }) => mine(container));
  const [first] = unsupported;
  if (first !== undefined && chosenId !== undefined)
    throw new UserError(`${first.container.name}: ${first.problem.reason}`);
  const namespaces = plan.namespaces.filter(({ members }) =>
    members.some(({ container }) => mine(container)),
  );
  if (namespaces.length === 0 && chosenId !== undefined)
    throw notAWorkload(containers.get(chosenId), selection);
  return { namespaces, unsupported };
}

function readSelection(
  container: Container,
  named: boolean,
  { choice, grants, mode }: TargetSelection,
): Workload | undefined {
  const own = parseWorkload(container, mode);
  if (grants === undefined || !(named || ('all' in choice && own !== undefined))) return own;
  return { mode, dns: 'resolvers', problems: [], ...own, grants };
}

function notAWorkload(container: Container | undefined, { grants }: TargetSelection): UserError {
  const name = container?.name ?? 'the container';
  if (grants === undefined) {
    return new UserError(
      `${name} was not started with EGRESSTRATOR_ENABLE=1; give its keys by --rules key1,key2`,
    );
  }
  return new UserError(`${name} has no network namespace of its own`);
}
