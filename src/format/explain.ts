/**
 * An explanation in sentences: whether, why, and what to do.
 */
import type {
  AskedContainer,
  CauseAnswer,
  ExplanationAnswer,
  HintAnswer,
  ReasonAnswer,
} from '../diagnostics/explain-answer.ts';
import type { NameHint } from '../diagnostics/explain-names.ts';
import type { NamespaceState } from '../features/egress/states.ts';
import type { GrantedName } from '../features/names/name-report.ts';
import { formatTraffic } from '../policy/traffic.ts';
import { formatGranted, formatNameHints, formatNameReasons } from './explain-names.ts';
import type { Style } from './style.ts';
import { formatGrant } from './suggest.ts';
import { count, sentence } from './values.ts';

/** The most reasons of one kind. */
const MOST = 5;

/** Remarks for states in which the loaded rules may differ from the answer. */
const REMARKS: Readonly<Record<NamespaceState, string | undefined>> = {
  protected: undefined,
  audit: undefined,
  isolated: undefined,
  denylist: undefined,
  custom: 'your own template is loaded (custom), and may decide differently',
  pending: 'its rules are not loaded yet (pending); this will apply when they are',
  failed: 'its rules could not be loaded (failed), so the previous rules apply',
  unenforceable: 'a container in its namespace can remove the rules (unenforceable)',
  cleared: 'an operator removed its rules (cleared), so everything passes until it stops',
};

/** The remark if the rules would allow it. */
const ISOLATED =
  'it can reach nothing now (isolated), because the rules are older than --max-age: see egresstrator status';

/** True if rules that allow it are not in force. */
export const isIsolated = ({ state }: AskedContainer, { because }: CauseAnswer): boolean =>
  state === 'isolated' && NOT_IN_FORCE.has(because);

const NOT_IN_FORCE: ReadonlySet<string> = new Set(['rules', 'names', 'granted']);

const remarksOn = (asked: AskedContainer, cause: CauseAnswer): readonly string[] => {
  const { state } = asked;
  const remark = isIsolated(asked, cause) ? ISOLATED : state === undefined ? undefined : REMARKS[state];
  return remark === undefined ? [] : [`But ${remark}.`];
};

export function formatExplanation(
  asked: AskedContainer,
  explanation: ExplanationAnswer,
  style: Style,
): string {
  const { destination, allowed, passes } = explanation;
  const mayNow = allowed && !isIsolated(asked, explanation);
  const answer = mayNow ? style('green', 'may reach') : style('red', 'may not reach');
  const audit = passes && !allowed ? ', but it passes in audit mode' : '';
  const lines =
    explanation.because === 'nothing'
      ? remedies(asked, destination, explanation.hints)
      : because(explanation);
  return [
    `${asked.container} ${answer} ${destination}${audit}.`,
    ...lines,
    ...leadsTo(explanation),
    ...remarksOn(asked, explanation),
  ].join('\n');
}

/** Where a call ends that comes to a port of a container. */
const leadsTo = ({ leadsTo: led }: ExplanationAnswer): readonly string[] => {
  if (led === undefined) return [];
  const { container, to, protocol, port, origin, device } = led;
  const on = device === undefined ? '' : ` for what comes in on its device ${device}`;
  return [`  There ${container} leads it to ${to} ${protocol}/${port}${on}: ${origin}`];
};

/** The lines that allow anything at a host. */
export function formatHost(
  seen: AskedContainer & {
    readonly host: string;
    readonly reasons: readonly ReasonAnswer[];
    readonly granted?: readonly GrantedName[] | undefined;
  },
): string {
  const { container, host, reasons, granted = [] } = seen;
  if (reasons.length === 0 && granted.length === 0)
    return `${container} can reach nothing at ${host}. Give a port, such as "${host} tcp/443", to see what would allow it.`;
  const shown = reasons.slice(0, 20).map((reason) => `  ${formatTraffic(reason)}: ${sourceOf(reason)}`);
  return [
    `${container} may reach at ${host}:`,
    ...[...shown, ...more(reasons.length - shown.length), ...formatGranted(granted)],
  ].join('\n');
}

const PLAIN = {
  open: '  The template denylist is in use, and no key without a grant names this.',
  loopback: '  Loopback is always allowed.',
  resolver: '  It is a DNS resolver of this container (EGRESSTRATOR_DNS=resolvers).',
} as const;

function because(cause: Exclude<CauseAnswer, { because: 'nothing' }>): readonly string[] {
  if (cause.because === 'names') return formatNameReasons(cause.lines, cause.granted, cause.asked);
  if (cause.because === 'granted') return formatGranted(cause.granted);
  if (!('reasons' in cause)) return [PLAIN[cause.because]];
  const shown = cause.reasons.slice(0, MOST).map((reason) => `  ${sourceOf(reason)}`);
  const lines = [...shown, ...more(cause.reasons.length - shown.length)];
  return cause.because === 'closed' ? closed(cause.reasons, lines) : lines;
}

/** All of these keys are needed: each one that is not granted closes its destinations. */
function closed(reasons: readonly ReasonAnswer[], lines: readonly string[]): readonly string[] {
  const keys = [...new Set(reasons.map(({ key }) => key))];
  return [
    '  The template denylist is in use, and closes the destinations of keys that are not granted:',
    ...lines.map((line) => `  ${line}`),
    `To open it: add ${keys.join(', ')} to EGRESSTRATOR_ACL${keys.length > 1 ? ' (all of them)' : ''}.`,
  ];
}

const more = (number: number): readonly string[] =>
  number > 0 ? [`  … and ${count(number, 'more line')}`] : [];

/** `key db line 3: production.postgresql (instance on node-1)` */
const sourceOf = ({ key, line, rule, node }: ReasonAnswer): string =>
  `key ${key} line ${line}: ${rule}${node === undefined ? '' : ` (instance on ${node})`}`;

type Kind = HintAnswer['kind'];
type Of<K extends Kind> = HintAnswer & { readonly kind: K };
const only = <K extends Kind>(hints: readonly HintAnswer[], kind: K): readonly Of<K>[] =>
  hints.filter((hint): hint is Of<K> => hint.kind === kind);

/** The obstacles, then the solutions. */
function remedies(
  asked: AskedContainer,
  destination: string,
  hints: readonly HintAnswer[],
): readonly string[] {
  const [host] = destination.split(' ');
  return [
    ...(asked.grants.length === 0 ? ['  It has no key: EGRESSTRATOR_ACL is empty.'] : []),
    ...only(hints, 'unknown-key').map(
      ({ key }) => `  It asks for the key ${key}, but Consul does not have it.`,
    ),
    ...only(hints, 'no-instance')
      .slice(0, MOST)
      .map(
        ({ key, line, rule }) =>
          `  Key ${key} line ${line} (${rule}) names a service without an instance in Consul.`,
      ),
    ...only(hints, 'unread-service')
      .slice(0, MOST)
      .map(
        ({ key, line, rule }) =>
          `  Key ${key} line ${line} (${rule}) names a service that could not be read; see egresstrator lint.`,
      ),
    ...only(hints, 'no-dns').map(() => '  DNS is denied by EGRESSTRATOR_DNS=none.'),
    ...only(hints, 'names-only').map(() => `  ${NAMES_ONLY}`),
    ...formatNameHints(hints.filter(isOfName)),
    ...only(hints, 'protected').map(
      ({ reason }) => `  ${capital(sourceOf(reason))} is too broad to grant ${host}, which is protected.`,
    ),
    ...only(hints, 'partial-match')
      .slice(0, MOST)
      .map(({ reason }) => `  ${capital(sourceOf(reason))} allows ${formatTraffic(reason)} there.`),
    ...ways(asked, hints),
  ];
}

const NAMES_ONLY =
  'Its names are answered without it (EGRESSTRATOR_DNS=names): those of its rules, of containers and of services.';

const OF_NAMES: ReadonlySet<string> = new Set(['no-names', 'asked', 'other-ports']);
const isOfName = (hint: HintAnswer): hint is NameHint => OF_NAMES.has(hint.kind);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function ways({ container, keys }: AskedContainer, hints: readonly HintAnswer[]): readonly string[] {
  const grant = only(hints, 'grant')
    .slice(0, MOST)
    .map(
      ({ reason: { key, line, rule }, rules, broad }) =>
        `  add ${key} to EGRESSTRATOR_ACL of ${container}: its line ${line} (${rule}) allows it${extent(rules, broad)}`,
    );
  const where = keys.length > 1 ? `one of its keys (${keys.join(', ')})` : `its key ${keys[0] ?? ''}`;
  const place = keys.length === 0 ? 'a key that it is granted' : where;
  const rules = [...only(hints, 'protected'), ...only(hints, 'write')].map(
    ({ rule }) => `  put ${rule} into ${place}`,
  );
  const byName = only(hints, 'grant-name')
    .slice(0, MOST)
    .map(
      ({ key, line, rule, rules: size }) =>
        `  add ${key} to EGRESSTRATOR_ACL of ${container}: its line ${line} (${rule}) allows it${extent(size, false)}`,
    );
  const all = [...grant, ...byName, ...rules];
  const [first, ...others] = [
    ...only(hints, 'grant').map(({ reason }) => reason.key),
    ...only(hints, 'grant-name').map((hint) => hint.key),
  ];
  const key = others.length === 0 ? first : undefined;
  const how = first === undefined ? [] : [sentence(formatGrant(container, keys, key))];
  return all.length === 0 ? [] : [`To allow it${all.length > 1 ? ', one of' : ''}:`, ...all, ...how];
}

/** The other effects of granting a key. */
const extent = (rules: number, broad: boolean): string =>
  broad ? ', and far more' : rules > 1 ? `, with ${count(rules - 1, 'other rule')}` : '';
