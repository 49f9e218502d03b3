/**
 * Templates: Handlebars, limited to what a firewall needs. A template that compiles here uses only fields of the
 * context, so only the firewall's own language can still be wrong.
 */
import Handlebars from 'handlebars';
import { messageOf, TemplateError } from '../common/errors.ts';
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
  rejectOldTables(name, source);
  if (!mentions.has('fingerprint') && !mentions.has('comment')) throw unrecognisable(name);
  const expand = Handlebars.compile<TemplateContext>(source, OPTIONS);
  return { name, source, mentions, expand: (context) => expand(context) };
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

/** For a template whose text would not say what it is. */
export const unrecognisable = (name: string): TemplateError =>
  new TemplateError(
    `template ${name} does not write {{comment}}: put it in the table's comment, as the included templates do, so that loaded rules can be recognised`,
  );

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
    const { line, reason } =
      error instanceof Mistake ? { line: error.line, reason: error.message } : syntaxError(error, source);
    const place = line === undefined ? '' : `, line ${line}`;
    throw new TemplateError(`template ${name}${place}: ${reason}`, { cause: error });
  }
}

/** Handlebars says `Parse error on line 3:` and three lines more, or one line with ` - 3:7` behind it. */
function syntaxError(
  error: unknown,
  source: string,
): { readonly line: number | undefined; readonly reason: string } {
  const message = messageOf(error);
  const [, parsed] = /^Parse error on line (\d+):/.exec(message) ?? [];
  if (parsed !== undefined) {
    const text = source.split('\n')[Number(parsed) - 1]?.trim() ?? '';
    return { line: Number(parsed), reason: `Handlebars cannot read "${text}"` };
  }
  const [, reason = message, line] = /^(.*) - (\d+):\d+$/s.exec(message) ?? [];
  return { line: line === undefined ? undefined : Number(line), reason };
}
