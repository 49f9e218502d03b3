/**
 * Templates of egress rules, whose context is a `TemplateContext`.
 */
import { TemplateError } from '../../common/errors.ts';
import { compileTemplate, type Template } from '../../rendering/template.ts';
import { CONTEXT_SHAPE, type TemplateContext } from './context.ts';

export type EgressTemplate = Template<TemplateContext>;

/** Throws a `TemplateError` that names the template, the line and what is wrong there. */
export function compileEgressTemplate(name: string, source: string): EgressTemplate {
  const template = compileTemplate<TemplateContext>(name, source, CONTEXT_SHAPE);
  rejectOldTables(name, source);
  return template;
}

/** A load removes tables of this name, as earlier versions of egresstrator made them. */
function rejectOldTables(name: string, source: string): void {
  const index = source.split('\n').findIndex((line) => OLD_TABLE.test(line));
  if (index < 0) return;
  throw new TemplateError(
    `template ${name}, line ${index + 1}: the table is named egresstrator, as in earlier versions; name it egresstrator_egress`,
  );
}

const OLD_TABLE = /^\s*(?:\w+\s+)?table\s+\w+\s+egresstrator(?!\w)/;

/** True if it uses destinations that are not granted; only then they must be compiled. */
export const needsUngranted = (template: EgressTemplate): boolean => template.mentions.has('ungranted');
