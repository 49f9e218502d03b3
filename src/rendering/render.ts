/**
 * Renders a rule set to the text of a firewall, with its fingerprint.
 */
import { createHash } from 'node:crypto';
import { messageOf, TemplateError } from '../common/errors.ts';
import { contentOf, identityOf, type RenderInput } from './context.ts';
import { needsUngranted, type Template, unrecognisable } from './template.ts';

export type { RenderInput } from './context.ts';
export { needsUngranted, type Template } from './template.ts';

export interface Rendered {
  readonly text: string;
  /** 32 hex digits: equal for equal texts, whatever namespace they are for. */
  readonly fingerprint: string;
}

/** Stands for the fingerprint while the fingerprint is worked out. */
const BLANK = '0'.repeat(32);

/** Throws a `TemplateError`; with a template that compiled and complete input that is a bug of ours. */
export function render(template: Template, input: RenderInput): Rendered {
  if (needsUngranted(template) && input.ungranted === undefined) {
    throw new TemplateError(
      `template ${template.name} needs the destinations that are not granted, and got none`,
    );
  }
  try {
    return identify(template, input);
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    throw new TemplateError(`template ${template.name}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * The fingerprint is the hash of the text with the fingerprint left blank: it changes with all that
 * changes the text, and with nothing else, because a needless reload would drop the record of denied destinations.
 */
function identify(template: Template, input: RenderInput): Rendered {
  const content = contentOf(input, template.mentions);
  const blank = template.expand({ ...content, ...identityOf(BLANK) });
  const fingerprint = createHash('sha256').update(blank).digest('hex').slice(0, BLANK.length);
  const text = template.expand({ ...content, ...identityOf(fingerprint) });
  if (!text.includes(fingerprint)) throw unrecognisable(template.name);
  return { text, fingerprint };
}
