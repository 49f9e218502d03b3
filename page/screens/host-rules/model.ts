/**
 * What the screen of the host's rules says: texts, commands and the order of rows. Pure.
 */
import type { Problem } from '../../../src/common/problem.ts';
import { shellWord } from '../../../src/common/text.ts';
import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import type {
  ByHandAnswer,
  ClosedPort,
  HostAnswer,
  OpeningAnswer,
} from '../../../src/diagnostics/host-view.ts';

interface Port {
  readonly protocol: string;
  readonly port?: number | undefined;
}

/** `tcp/80`, `icmp` */
export const portText = ({ protocol, port }: Port): string =>
  port === undefined ? protocol || 'any protocol' : `${protocol}/${port}`;

/** `10.0.0.5:80`, `[fd00::5]:80` */
export const socketText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

export const callersText = (from: OpeningAnswer['from']): string =>
  typeof from === 'string' ? from : from.join(', ');

/** Lets anyone call a published port that is closed. */
export const openCommand = ({
  container,
  protocol,
  containerPort,
}: Pick<ClosedPort, 'container' | 'protocol' | 'containerPort'>): string =>
  `egresstrator ports open ${shellWord(container)} ${protocol}/${containerPort}`;

/** Ends what was done by hand. */
export const ownCommand = ({ container, protocol, port }: ByHandAnswer): string =>
  `egresstrator ports own ${shellWord(container)} ${protocol}/${port}`;

const OPENED: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

/** Lets one denied caller in; undefined where ingress keys decide, or no port can be opened. */
export function admitCommand({ gate, container, protocol, port, source }: DeniedCall): string | undefined {
  if (gate === 'ingress' || container === undefined || port === undefined || !OPENED.has(protocol))
    return undefined;
  return `egresstrator ports open ${shellWord(container)} ${protocol}/${port} --from ${shellWord(source)}`;
}

/** Who denied it, as `denied --in` has it. */
export const gateText = ({ gate }: DeniedCall): string => gate ?? 'guard';

/** The guard that observes and ingress rules in audit mode only record. */
export const hasPassed = ({ gate, passed }: DeniedCall, guard: HostAnswer['guard']): boolean =>
  passed === true || (gate === undefined && guard?.mode === 'observe');

export const callId = ({ gate, source, address, protocol, port }: DeniedCall): string =>
  [gate ?? '', source, address, protocol, port ?? ''].join(' ');

/** The latest first. */
export const latestFirst = (calls: Iterable<DeniedCall>): readonly DeniedCall[] =>
  [...calls].toSorted(
    (one, other) => other.lastSeenAt - one.lastSeenAt || (callId(one) < callId(other) ? -1 : 1),
  );

/** What is searched in a call. */
export const callText = (call: DeniedCall): string =>
  [call.source, call.container ?? '', call.address, portText(call), gateText(call)].join(' ');

/** What is wrong: what cannot be read, the last failed load, and problems. */
export const problemsOf = ({
  unread,
  lastError,
  problems,
}: Pick<HostAnswer, 'unread' | 'lastError' | 'problems'>): readonly Problem[] =>
  [
    ...(lastError === undefined ? [] : [{ severity: 'error', reason: lastError } as const]),
    ...unread.map((reason) => ({ severity: 'error', reason }) as const),
    ...problems.toSorted((one, other) => severityOf(one) - severityOf(other)),
  ].map((one) => ({ ...one, reason: one.reason }));

const severityOf = ({ severity }: Problem): number => (severity === 'error' ? 0 : 1);

/** Names that the question about a call offers. */
export function knownContainers(
  { openings, closed, forwards }: Pick<HostAnswer, 'openings' | 'closed' | 'forwards'>,
  others: Iterable<string>,
): readonly string[] {
  const names = [...openings, ...closed, ...forwards].flatMap(({ container }) => container ?? []);
  return [...new Set([...names, ...others])].toSorted();
}

export interface CallQuestion {
  readonly source: string;
  readonly container: string;
  readonly traffic: string;
}

/** The command that answers the same. */
export const explainCommand = ({ source, container, traffic }: CallQuestion): string =>
  `egresstrator explain --in ${[container, source, traffic].map(shellWord).join(' ')}`;
