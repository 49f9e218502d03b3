/**
 * Templates: Handlebars, held to what makes sense for a firewall. A template that compiles here
 * mentions only what the context has, so what is left to go wrong is the firewall's own language.
 */
import Handlebars from 'handlebars';
import { messageOf, TemplateError } from '../domain/errors.ts';
import { checkTemplate, Mistake } from './check.ts';
import { CONTEXT_SHAPE, type TemplateContext } from './context.ts';

export interface Template {
  /** What people call it: a shipped template's name, or a path. */
  readonly name: string;
  readonly source: string;
  /** The context's fields it speaks of, `allowed` as well as `allowed.ipv4`. */
  readonly mentions: ReadonlySet<string>;
  readonly expand: (context: TemplateContext) => string;
}

/** Throws a `TemplateError` that names the template, the line and what is wrong there. */
export function compileTemplate(name: string, source: string): Template {
  const mentions = check(name, source);
  if (!mentions.has('fingerprint') && !mentions.has('comment')) {
    throw new TemplateError(
      `template ${name} never writes {{comment}}: put it in the table's comment, as the shipped templates do, so that what is loaded can be recognised`,
    );
  }
  const expand = Handlebars.compile<TemplateContext>(source, OPTIONS);
  return { name, source, mentions, expand: (context) => expand(context) };
}

/** Whether it speaks of destinations that were not granted; they must be resolved only then. */
export const needsUngranted = (template: Template): boolean => template.mentions.has('ungranted');

/** Firewalls are not HTML; a missing value is an error; helpers are the three that `check` lets pass. */
const OPTIONS: CompileOptions = {
  noEscape: true,
  strict: true,
  knownHelpersOnly: true,
};

function check(name: string, source: string): ReadonlySet<string> {
  try {
    return checkTemplate(Handlebars.parse(source), CONTEXT_SHAPE);
  } catch (error) {
    const [line, reason] = error instanceof Mistake ? [error.line, error.message] : syntaxError(error);
    const place = line === undefined ? '' : `, line ${line}`;
    throw new TemplateError(`template ${name}${place}: ${reason}`, { cause: error });
  }
}

/** `Parse error on line 3:`, an excerpt, an arrow and what was expected; or one line with ` - 3:7` behind it. */
function syntaxError(error: unknown): readonly [line: number | undefined, reason: string] {
  const message = messageOf(error);
  const parse = /^Parse error on line (\d+):\n(.*)\n/.exec(message);
  if (parse !== null) return [Number(parse[1]), `Handlebars cannot read ${JSON.stringify(parse[2])}`];
  const other = /^(.*) - (\d+):\d+$/s.exec(message);
  return other === null ? [undefined, message] : [Number(other[2]), other[1] ?? message];
}
