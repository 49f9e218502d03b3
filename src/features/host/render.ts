/**
 * Renders the host's rules to the text that is loaded, with its fingerprint.
 */
import { assetPath } from '../../common/assets.ts';
import { complete, fingerprinted, type Rendered } from '../../rendering/fingerprint.ts';
import { compileTemplate, readSource, type Template } from '../../rendering/template.ts';
import { HOST_SHAPE, type HostContext, hostContent } from './context.ts';
import type { HostRuleSet } from './model.ts';

export type HostTemplate = Template<HostContext>;

/** `path`: of a user's own; default: the included one. Throws a `TemplateError`. */
export const loadHostTemplate = (path?: string): HostTemplate =>
  compileTemplate(path ?? 'host', readSource(path ?? assetPath('templates/host.hbs')), HOST_SHAPE);

/** As a loader takes it. Throws a `TemplateError`; with a template that compiled that is a bug of ours. */
export function renderHost(template: HostTemplate, rules: HostRuleSet): Rendered {
  const content = hostContent(rules);
  const { text, fingerprint } = fingerprinted(template.name, (one) =>
    template.expand({ ...content, fingerprint: one, comment: `egresstrator v1 ${one}` }),
  );
  return { text: complete(text), fingerprint };
}
