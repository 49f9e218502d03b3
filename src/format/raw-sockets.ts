/**
 * Marks workloads with CAP_NET_RAW, which Docker gives by default: AF_XDP sockets can bypass every rule in a
 * namespace (docs/security.md).
 */
/** The mark after the state in the table. */
export const RAW_MARK = '*';

const REMEDY =
  'start it with --cap-drop NET_RAW, or with the gate, which removes CAP_NET_RAW unless --cap-add requests it';

/** For one container: the problem and the solution. */
export const RAW_LINE = 'it has CAP_NET_RAW: AF_XDP sockets can bypass the rules';
export const RAW_REMEDY = `To prevent that, ${REMEDY}.`;

/** The note below the table; empty if no row has the mark. */
export function rawNote(namespaces: readonly { readonly hasRawSockets: boolean }[]): string {
  const marked = namespaces.filter(({ hasRawSockets }) => hasRawSockets).length;
  if (marked === 0) return '';
  return [
    `${RAW_MARK} has CAP_NET_RAW: AF_XDP sockets can bypass the rules (${marked} of ${namespaces.length}):`,
    `  ${REMEDY}`,
  ].join('\n');
}
