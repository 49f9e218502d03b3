/**
 * Loads egress templates: the included ones by name, and a user's own by path.
 */
import { assetPath } from '../../common/assets.ts';
import { TemplateError } from '../../common/errors.ts';
import { readSource } from '../../rendering/template.ts';
import { compileEgressTemplate, type EgressTemplate } from './template.ts';

/** `templates/README.md` describes each. */
export const INCLUDED_TEMPLATES = ['nftables', 'iptables', 'denylist', 'lockdown'] as const;

export type IncludedTemplate = (typeof INCLUDED_TEMPLATES)[number];

/**
 * An included template by its name, or a user's own by its path. A text with a slash, or that ends in `.hbs`, is a
 * path. Throws a `TemplateError`.
 */
export function loadTemplate(nameOrPath: string): EgressTemplate {
  if (isIncluded(nameOrPath)) return compileEgressTemplate(nameOrPath, readSource(includedPath(nameOrPath)));
  if (isPath(nameOrPath)) return compileEgressTemplate(nameOrPath, readSource(nameOrPath));
  throw new TemplateError(
    `there is no template "${nameOrPath}": use one of ${INCLUDED_TEMPLATES.join(', ')}, or the path of your own`,
  );
}

export const isIncluded = (name: string): name is IncludedTemplate =>
  INCLUDED_TEMPLATES.some((shipped) => shipped === name);

const isPath = (text: string): boolean => text.includes('/') || text.endsWith('.hbs');

const includedPath = (name: IncludedTemplate): string => assetPath(`templates/${name}.hbs`);
