/**
 * `egresstrator lint`: checks the rules in Consul or in a file. Exit code 1 for an error, or with --strict for any
 * finding.
 */
import { version } from '../../common/assets.ts';
import { UsageError, UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { LintAnswer } from '../../diagnostics/diagnostics.ts';
import { lint as lintAcl } from '../../diagnostics/lint.ts';
import { parseAcl } from '../../policy/acl.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatAnnotations } from '../format/annotations.ts';
import { formatFindings } from '../format/lint.ts';
import { type Folders, sarifOf } from '../format/sarif.ts';
import { createOutput } from '../output.ts';
import { readText } from '../text-file.ts';

export async function lint(flags: Flags, terminal: Terminal): Promise<void> {
  if (typeof flags.file === 'string' && typeof flags.key === 'string')
    throw new UsageError('give either --file or --key');
  const format = formatOf(flags);
  const context = commandContext(flags, terminal);
  const linted =
    typeof flags.file === 'string'
      ? await lintFile(flags.file, flags, context)
      : await lintConsul(flags, context);
  print(linted, format, typeof flags.file === 'string' ? undefined : context.config.consul, context);
  const { findings } = linted;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    throw new UserError(`${errors} of the findings ${errors === 1 ? 'is an error' : 'are errors'}`);
  if (flags.strict === true && findings.length > 0) throw new UserError('there are findings (--strict)');
}

const FORMATS = ['text', 'github', 'sarif'] as const;
type Format = (typeof FORMATS)[number];

function formatOf({ format = 'text', json }: Flags): Format {
  const known = FORMATS.find((one) => one === format);
  if (known === undefined) throw new UsageError(`--format: expected one of ${FORMATS.join(', ')}`);
  if (known !== 'text' && json === true) throw new UsageError('give either --json or --format');
  return known;
}

/** With `--ingress`, keys are ingress keys. */
export const directionOf = ({ ingress }: Flags): { readonly direction?: 'ingress' } =>
  ingress === true ? { direction: 'ingress' } : {};

/** `folders`: where the keys are in Consul; undefined for a file. */
function print(
  linted: LintAnswer,
  format: Format,
  folders: Folders | undefined,
  { output, style, terminal }: CommandContext,
): void {
  if (format === 'sarif')
    createOutput(terminal, true).result(sarifOf(linted.findings, folders, version()), String);
  else if (format === 'github')
    output.result(linted, (seen) => formatAnnotations(seen.findings, folders === undefined));
  else output.result(linted, (seen) => formatFindings(seen.findings, seen.unread, style));
}

/** A file is checked by itself: neither Consul nor the Engine is asked. */
async function lintFile(path: string, flags: Flags, { config }: CommandContext): Promise<LintAnswer> {
  const { direction = 'egress' } = directionOf(flags);
  const acl = parseAcl(new Map([[path, await readText(path)]]), new Map(), direction);
  const protectedHosts = direction === 'egress' ? config.protectedHosts : [];
  const known = { acl, protectedHosts, catalog: undefined, workloads: undefined };
  return { findings: lintAcl({ ...known, direction }), unread: [] };
}

async function lintConsul(flags: Flags, context: CommandContext): Promise<LintAnswer> {
  const { key } = flags;
  const question = { ...(typeof key === 'string' && { key }), ...directionOf(flags) };
  return ask(context, (diagnostics) => diagnostics.lint(question));
}
