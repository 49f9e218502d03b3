/**
 * The included templates, by name, and the reader of a user's own.
 */
import { readFileSync } from 'node:fs';
import { assetPath } from '../common/assets.ts';
import { messageOf, TemplateError } from '../common/errors.ts';
import { compileTemplate, type Template } from './template.ts';

/** `templates/README.md` describes each. */
export const SHIPPED_TEMPLATES = ['nftables', 'iptables', 'denylist', 'lockdown'] as const;

export type ShippedTemplate = (typeof SHIPPED_TEMPLATES)[number];

/**
 * A shipped template by its name, or a user's own by its path. What holds a slash or ends in `.hbs`
 * is a path. Throws a `TemplateError`.
 */
export function loadTemplate(nameOrPath: string): Template {
  if (isShipped(nameOrPath)) return compileTemplate(nameOrPath, read(shippedPath(nameOrPath)));
  if (isPath(nameOrPath)) return compileTemplate(nameOrPath, read(nameOrPath));
  throw new TemplateError(
    `there is no template "${nameOrPath}": use one of ${SHIPPED_TEMPLATES.join(', ')}, or the path of your own`,
  );
}

export const isShipped = (name: string): name is ShippedTemplate =>
  SHIPPED_TEMPLATES.some((shipped) => shipped === name);

const isPath = (text: string): boolean => text.includes('/') || text.endsWith('.hbs');

const shippedPath = (name: ShippedTemplate): string => assetPath(`templates/${name}.hbs`);

/** The one place of this layer that touches the disk. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TemplateError(`the template ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
