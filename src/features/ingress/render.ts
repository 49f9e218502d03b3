/**
 * Renders callers that are let in to the text that is loaded, once for each policy: namespaces with equal keys share it.
 */
import { assetPath } from '../../common/assets.ts';
import type { Mode } from '../../inventory/workload.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import { complete, fingerprinted, type Rendered } from '../../rendering/fingerprint.ts';
import { compileTemplate, readSource, type Template } from '../../rendering/template.ts';
import { INGRESS_SHAPE, type IngressContext, ingressContent, ingressIdentity } from './context.ts';

export type IngressTemplate = Template<IngressContext>;

/** The included one. Throws a `TemplateError`. */
export const loadIngressTemplate = (): IngressTemplate =>
  compileTemplate('ingress', readSource(assetPath('templates/ingress.hbs')), INGRESS_SHAPE);

/** As a loader takes it. */
export function renderIngress(template: IngressTemplate, allowed: RuleSet, mode: Mode): Rendered {
  const content = ingressContent(allowed, mode, template.mentions);
  const { text, fingerprint } = fingerprinted(template.name, (one) =>
    template.expand({ ...content, ...ingressIdentity(one) }),
  );
  return { text: complete(text), fingerprint };
}

/** A cache that lives as long as the policies it was made from. */
export class IngressRenderer {
  readonly #template: IngressTemplate;
  readonly #memos: Readonly<Record<Mode, WeakMap<CompiledPolicy, Rendered>>> = {
    enforce: new WeakMap(),
    audit: new WeakMap(),
  };

  constructor(template: IngressTemplate) {
    this.#template = template;
  }

  render(policy: CompiledPolicy, mode: Mode): Rendered {
    const known = this.#memos[mode].get(policy);
    if (known !== undefined) return known;
    const rendered = renderIngress(this.#template, policy.ruleSet, mode);
    this.#memos[mode].set(policy, rendered);
    return rendered;
  }
}
