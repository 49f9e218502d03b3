/**
 * Templates: Handlebars, limited to what a firewall needs. A template that compiles here uses only fields of its
 * context, so only the firewall's own language can still be wrong.
 */
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { messageOf, TemplateError } from '../common/errors.ts';
import { checkTemplate, Mistake } from './check.ts';
import type { Shape } from './shape.ts';

export interface Template<Context> {
  /** What people call it: an included template's name, or a path. */
  readonly name: string;
  readonly source: string;
  /** The context's fields that it uses, `allowed` as well as `allowed.ipv4`. */
  readonly mentions: ReadonlySet<string>;
  readonly expand: (context: Context) => string;
}

/**
 * `shape`: of the context. Throws a `TemplateError` that names the template, the line and what is wrong there.
 */
export function compileTemplate<Context>(name: string, source: string, shape: Shape): Template<Context> {
  const mentions = check(name, source, shape);
  if (!mentions.has('fingerprint') && !mentions.has('comment')) throw unrecognisable(name);
  const expand = Handlebars.compile<Context>(source, OPTIONS);
  return { name, source, mentions, expand: (context) => expand(context) };
}

/** The text of a template's file. Throws a `TemplateError`. */
export function readSource(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TemplateError(`the template ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** For a template whose text would not say what it is. */
export const unrecognisable = (name: string): TemplateError =>
  new TemplateError(
    `template ${name} does not write {{comment}}: put it in the table's comment, as the included templates do, so that loaded rules can be recognised`,
  );

/** Firewalls are not HTML; a missing value is an error; helpers are the three that `check` lets pass. */
const OPTIONS: CompileOptions = {
  noEscape: true,
  strict: true,
  knownHelpersOnly: true,
};

function check(name: string, source: string, shape: Shape): ReadonlySet<string> {
  try {
    return checkTemplate(Handlebars.parse(source), shape);
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
