/**
 * Renders each distinct rule set once: namespaces with equal grants share the text.
 */

import type { DnsPolicy, Mode } from '../../inventory/workload.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import type { Rendered } from '../../rendering/fingerprint.ts';
import { render } from './render.ts';
import type { EgressTemplate } from './template.ts';

export interface RenderKey {
  readonly policy: CompiledPolicy;
  /** Destinations of keys that are not granted, for templates that use them. */
  readonly ungranted: RuleSet | undefined;
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  readonly resolvers: readonly string[];
}

interface Memo {
  readonly ungranted: RuleSet | undefined;
  readonly rendered: Rendered;
}

/** A cache that lives as long as the policies it was made from. */
export class Renderer {
  readonly template: EgressTemplate;
  readonly #memos = new WeakMap<CompiledPolicy, Map<string, Memo>>();

  constructor(template: EgressTemplate) {
    this.template = template;
  }

  render(rendition: RenderKey): Rendered {
    const { policy, ungranted, mode, dns, resolvers } = rendition;
    const memos = this.#memos.get(policy) ?? new Map<string, Memo>();
    this.#memos.set(policy, memos);
    const id = JSON.stringify([mode, dns, resolvers]);
    const known = memos.get(id);
    if (known !== undefined && known.ungranted === ungranted) return known.rendered;
    const rendered = render(this.template, {
      ...{ allowed: policy.ruleSet, ungranted, classes: policy.names.classes, mode, dns, resolvers },
    });
    memos.set(id, { ungranted, rendered });
    return rendered;
  }
}
