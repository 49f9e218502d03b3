/**
 * Lines of ingress keys as a text that can be stored in Consul unchanged: everything but rules is a comment.
 */
import type { CallerLine, CallerSuggestion, SuggestInAnswer } from '../../diagnostics/suggest-in.ts';
import { inPeriod, list, many } from '../../format/values.ts';

export function formatSuggestIn({ suggestions, covers, isFull }: SuggestInAnswer): string {
  const parts = [
    suggestions.length === 0 ? `# ${noCalls(covers)}` : '',
    ...suggestions.map(formatSuggestion),
    isFull ? `# ${INCOMPLETE}` : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Notes for the user of a key's whole text, which has none. */
export const remarksOnCallers = (
  key: string,
  { suggestions, covers, isFull, keyText }: SuggestInAnswer,
): readonly string[] => [
  ...(suggestions.length === 0 ? [noCalls(covers)] : []),
  ...(keyText === undefined ? [`Consul has no ingress key ${key} yet; consul kv put creates it`] : []),
  ...suggestions
    .filter(({ keys }) => !keys.includes(key))
    .map(
      ({ container }) =>
        `${container} does not name the ingress key ${key}, so its rules do not apply: EGRESSTRATOR_INGRESS is read when a container is created, so create it again`,
    ),
  ...suggestions.flatMap(({ lines }) =>
    lines.flatMap((line) => cautionsAbout(line).map((caution) => `${line.rule}: ${caution}`)),
  ),
  ...suggestions.flatMap(({ container, notExpressible }) =>
    notExpressible.map((one) => `${container}: no rule can let in ${one}`),
  ),
  ...(isFull ? [INCOMPLETE] : []),
];

const noCalls = (covers: number | undefined): string =>
  `no call was denied by ingress rules ${inPeriod(covers)}`;

const INCOMPLETE = 'a record is or was full, so callers may be missing';

const formatSuggestion = ({ container, keys, lines, notExpressible }: CallerSuggestion): string =>
  [
    `# callers of ${container} (ingress keys: ${keys.length === 0 ? 'none' : list(keys)})`,
    ...lines.map(formatLine),
    ...notExpressible.map((one) => `# no rule can let in ${one}`),
  ].join('\n');

const formatLine = (line: CallerLine): string => {
  const { rule, packets, services } = line;
  const known = services.length === 0 ? [] : [`at its address: ${list(services.slice(0, MOST_SERVICES))}`];
  return `${rule}  # ${[many(packets, 'packet'), ...known, ...cautionsAbout(line)].join('; ')}`;
};

const MOST_SERVICES = 5;

/** What to consider before the line is used. */
const cautionsAbout = ({ caller, gatewayOf }: CallerLine): readonly string[] => [
  ...(caller === undefined
    ? []
    : [`the container ${caller} has this address, and another one after a restart`]),
  ...(gatewayOf === undefined
    ? []
    : [`the gateway of the network ${gatewayOf}, as which all callers appear whose address is hidden`]),
];
