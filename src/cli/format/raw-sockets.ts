/**
 * Who could get round the rules: with CAP_NET_RAW, which Docker gives by default, AF_XDP sockets send past
 * every rule in a namespace (docs/security.md).
 */
/** Behind the state in the table. */
export const RAW_MARK = '*';

const REMEDY =
  'start it with --cap-drop NET_RAW, or by the gate, which takes CAP_NET_RAW from workloads that were not given it by --cap-add';

/** For one container: what holds, and what to do. */
export const RAW_LINE = 'it holds CAP_NET_RAW, with which AF_XDP sockets get round the rules';
export const RAW_REMEDY = `To close that, ${REMEDY}.`;

/** Below the table; empty where the mark is nowhere in it. */
export function rawNote(namespaces: readonly { readonly hasRawSockets: boolean }[]): string {
  const marked = namespaces.filter(({ hasRawSockets }) => hasRawSockets).length;
  if (marked === 0) return '';
  return [
    `${RAW_MARK} holds CAP_NET_RAW, with which AF_XDP sockets get round the rules (${marked} of ${namespaces.length}):`,
    `  ${REMEDY}`,
  ].join('\n');
}
