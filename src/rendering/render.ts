/**
 * From a rule set to the text of a firewall, and the fingerprint by which it is recognised.
 */
import { createHash } from 'node:crypto';
import { messageOf, TemplateError } from '../domain/errors.ts';
import { serialize } from '../domain/rule-set.ts';
import { contextOf, type RenderInput, splitResolvers } from './context.ts';
import { needsUngranted, type Template } from './template.ts';

export type { RenderInput } from './context.ts';
export { compileTemplate, needsUngranted, type Template } from './template.ts';

export interface Rendered {
  readonly text: string;
  /** 32 hex digits: the same template and input give the same, whatever the namespace's facts. */
  readonly fingerprint: string;
}

/** Raised whenever the same template and input come to be printed in another way. */
const PRINTING = 1;

/** Throws a `TemplateError`; with a template that compiled and complete input that is a bug of ours. */
export function render(template: Template, input: RenderInput): Rendered {
  if (needsUngranted(template) && input.ungranted === undefined) {
    throw new TemplateError(
      `template ${template.name} needs the destinations that were not granted, and got none`,
    );
  }
  const fingerprint = fingerprintOf(template, input);
  try {
    return { text: template.expand(contextOf(input, fingerprint, template.mentions)), fingerprint };
  } catch (error) {
    throw new TemplateError(`template ${template.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Over all that can change the text, and nothing that cannot: a needless reload drops the refusals. */
function fingerprintOf(template: Template, input: RenderInput): string {
  const { allowed, ungranted, mode, dns, resolvers } = input;
  const hash = createHash('sha256');
  const parts = [
    `${PRINTING}`,
    template.source,
    serialize(allowed),
    ungranted === undefined || !needsUngranted(template) ? '' : serialize(ungranted),
    mode,
    dns,
    template.mentions.has('resolvers') ? JSON.stringify(splitResolvers(resolvers)) : '',
  ];
  // Each part with its length in front, so that no text can slide from one part into the next.
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex').slice(0, 32);
}
