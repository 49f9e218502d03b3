/**
 * Findings as annotations of a GitHub workflow, which appear beside the lines.
 */
import type { Finding, Severity } from '../../diagnostics/finding.ts';

const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/** `inFile`: keys are paths of files, which GitHub finds in the repository. */
export const formatAnnotations = (findings: readonly Finding[], inFile: boolean): string =>
  findings
    .map(({ severity, code, line, text, reason, remedy, ...finding }) => {
      const where = whereOf(finding);
      const place = inFile
        ? [`file=${property(where)}`, ...(line === undefined ? [] : [`line=${line}`])]
        : [];
      const title = inFile ? code : `${code}: ${where}${line === undefined ? '' : ` line ${line}`}`;
      const what = text === undefined ? '' : `${text}: `;
      const words = [...place, `title=${property(title)}`].join(',');
      return `::${LEVELS[severity]} ${words}::${data(`${what}${reason}; ${remedy}`)}`;
    })
    .join('\n');

/** An ingress key may have the name of an ACL key. */
const whereOf = ({ key, direction, container }: Pick<Finding, 'key' | 'direction' | 'container'>): string =>
  key === undefined ? (container ?? '') : `${direction ? `${direction} ` : ''}${key}`;

/** The runner's escapes; see `actions/toolkit`, packages/core/src/command.ts. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
