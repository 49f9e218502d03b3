/**
 * What one container may reach, and who may reach it, as text.
 */
import type { z } from 'zod';
import type { NamespaceReply } from '../../daemon/api/diagnostics-schema.ts';
import type { Style } from '../../format/style.ts';
import { formatCalled } from './ingress.ts';
import { formatNamespace, formatProblems } from './status.ts';

export const formatContainer = (
  { namespace, ingress, ...setting }: z.infer<typeof NamespaceReply>,
  now: number,
  style: Style,
): string =>
  [
    namespace === undefined ? '' : formatNamespace(namespace, setting, now, style),
    ...(ingress === undefined ? [] : [formatCalled(ingress, now, style), formatProblems([ingress], style)]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
