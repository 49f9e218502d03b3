/**
 * The proxy that answers for names, as the egress rules see it.
 */
import type { NamespaceId } from '../../inventory/namespace.ts';
import type { PortClass } from '../../policy/port-classes.ts';
import type { HeldAddresses, NameFacts } from './name-facts.ts';

/** What the text of a namespace needs. */
export interface NameText {
  readonly names: NameFacts;
  /** Only for a load. */
  readonly held?: HeldAddresses | undefined;
  /** To be called when the load has ended; until then no grant leaves. Without a load the earlier text stays. */
  readonly ended?: ((isLoaded: boolean) => void) | undefined;
}

export interface NameSource {
  /** Why rules by name cannot work on this host; undefined: they can. */
  readonly unavailable: string | undefined;
  /** Resolves when it is known what an earlier run of the program has left in the namespace. */
  ready(id: NamespaceId): Promise<void>;
  /** Undefined until questions are answered in the namespace. */
  textOf(id: NamespaceId): Pick<NameText, 'names'> | undefined;
  /** The same for a text that is loaded at once: no grant is on its way, and none leaves. `classes`: of that text. */
  hold(id: NamespaceId, classes: readonly PortClass[]): Promise<NameText | undefined>;
}
