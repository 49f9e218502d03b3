/**
 * Renders a rule set to the text of a firewall, with its fingerprint.
 */
import { messageOf, TemplateError } from '../../common/errors.ts';
import { fingerprinted, type Rendered } from '../../rendering/fingerprint.ts';
import { contentOf, identityOf, type RenderInput } from './context.ts';
import { type EgressTemplate, needsUngranted } from './template.ts';

/** Throws a `TemplateError`; with a template that compiled and complete input that is a bug of ours. */
export function render(template: EgressTemplate, input: RenderInput): Rendered {
  if (needsUngranted(template) && input.ungranted === undefined) {
    throw new TemplateError(
      `template ${template.name} needs the destinations that are not granted, and got none`,
    );
  }
  try {
    const content = contentOf(input, template.mentions);
    return fingerprinted(template.name, (fingerprint) =>
      template.expand({ ...content, ...identityOf(fingerprint) }),
    );
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    throw new TemplateError(`template ${template.name}: ${messageOf(error)}`, { cause: error });
  }
}
