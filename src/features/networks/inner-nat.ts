/**
 * Ports of containers that lead elsewhere, as rules in their namespaces: what the reconciler loads, one text for each.
 */
import type { Plan } from '../../common/plan.ts';
import { connectionRules } from '../../inventory/connection-rules.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { NamespaceId, NetworkNamespace } from '../../inventory/namespace.ts';
import { type Loaded, NOTHING_LOADED, type Ruleset } from '../../inventory/ruleset.ts';
import type { Rendered } from '../../rendering/fingerprint.ts';
import type { DesiredNetworks } from './model.ts';
import { type NatTemplate, renderNat } from './nat.ts';

export interface NatDesired {
  readonly namespace: NetworkNamespace;
  readonly rendered: Rendered;
  /** `connectionRules` of its forwards. */
  readonly rules: ReadonlySet<string>;
}

const OWNER = 'nat';

export class InnerNat {
  readonly name = OWNER;
  readonly owner = OWNER;
  /** Without the network of its target, this host would send to others what is led there. */
  readonly after = ['attachments'];
  readonly #template: NatTemplate;
  /** Namespaces that were there before this run; undefined until they are known. */
  #earlier: ReadonlySet<NamespaceId> | undefined;

  constructor(template: NatTemplate) {
    this.#template = template;
  }

  /** By the id of the namespace. */
  plan(
    { inner }: DesiredNetworks,
    { namespaces, isComplete }: Pick<Inventory, 'namespaces' | 'isComplete'>,
  ): Plan<NatDesired> {
    if (isComplete) this.#earlier ??= new Set(namespaces.keys());
    return new Map(
      [...inner].flatMap(([id, { forwards }]) => {
        const namespace = namespaces.get(id);
        if (namespace === undefined || forwards.length === 0) return [];
        const rendered = renderNat(this.#template, forwards);
        return [[id, { kind: 'apply', desired: { namespace, rendered, rules: connectionRules(forwards) } }]];
      }),
    );
  }

  nothingIn = (namespace: NetworkNamespace): NatDesired => ({
    ...{ namespace, rendered: renderNat(this.#template, []), rules: new Set() },
  });

  isSame = (one: NatDesired, other: NatDesired): boolean =>
    one.rendered.fingerprint === other.rendered.fingerprint;

  namespaceOf = ({ namespace }: NatDesired): NetworkNamespace => namespace;

  /** It was made in this run: only this program puts something of ours there, so there is nothing before its first job. */
  isNew(id: NamespaceId): boolean {
    return this.#earlier?.has(id) === false;
  }

  loadedAtStart({ namespace: { id } }: NatDesired): Promise<Loaded> | undefined {
    return this.isNew(id) ? Promise.resolve(NOTHING_LOADED) : undefined;
  }

  describe = ({ rules }: NatDesired): object => ({ forwards: rules.size });

  async render({ rendered }: NatDesired): Promise<{ readonly ruleset: Ruleset }> {
    return { ruleset: { owner: OWNER, ...rendered } };
  }
}
