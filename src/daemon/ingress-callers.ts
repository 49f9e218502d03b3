/**
 * Who may call containers with ingress keys, as the ports guard needs it: the guard opens their published ports to these
 * callers, and closes their registered ones to all others.
 */
import type { ContainerCallers } from '../features/host/callers.ts';
import type { IngressDesired } from '../features/ingress/desired.ts';
import type { ContainerId } from '../inventory/container.ts';
import type { KnownCallers } from './host-rules.ts';

export class IngressCallers implements KnownCallers {
  #callers: KnownCallers['callers'] = new Map();
  #signature: readonly unknown[] = [];
  awaits = false;

  /** The identical object while nothing changes. */
  get callers(): KnownCallers['callers'] {
    return this.#callers;
  }

  /** `all`: of every namespace with ingress keys. */
  update(all: readonly IngressDesired[]): void {
    this.awaits = all.some(({ rules }) => rules.awaits);
    const signature = all.flatMap(signatureOf);
    if (isSame(signature, this.#signature)) return;
    this.#signature = signature;
    this.#callers = new Map(all.flatMap(callersOf));
  }
}

/** Policies are compared by identity, because equal ones are shared. */
const signatureOf = ({ namespace, rules }: IngressDesired): readonly unknown[] => [
  ...[namespace.inside.map(({ id }) => id).join(), namespace.target.name, namespace.mode],
  ...[namespace.keys.join(), namespace.runnerKeys.join(), rules.policy],
];

const isSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

/** All containers inside have the same addresses. While no keys are known, nobody may call. */
function callersOf({
  namespace,
  rules,
}: IngressDesired): readonly (readonly [ContainerId, ContainerCallers])[] {
  const { inside, target, keys, runnerKeys, mode } = namespace;
  const { reasons } = rules.policy;
  const callers = {
    text:
      keys.length === 0
        ? `the empty EGRESSTRATOR_INGRESS of ${target.name}`
        : `the ingress keys of ${target.name} (${keys.join(', ')})`,
    entries: reasons.map(({ entry }) => entry),
    ofRunner: reasons.flatMap(({ key, entry }) => (runnerKeys.includes(key) ? [entry] : [])),
    isLimiting: mode === 'enforce',
  };
  return inside.map(({ id }) => [id, callers] as const);
}
