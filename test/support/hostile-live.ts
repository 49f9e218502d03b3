/**
 * The sample of a live state in which every text that others write is hostile: markup, scripts, addresses that are scripts,
 * names of JavaScript's own, quotes, commands for a shell, characters that reorder or control, and very long ones.
 */
import { type LiveState, stateOf, wireOf } from '../../src/live/state.ts';

/** A page that runs one of these sets `pwned`; a shell makes a file of that name. */
const HOSTILE: readonly string[] = [
  '<img src=x onerror=window.pwned=1>',
  '"><script>window.pwned=1</script>',
  `' autofocus onfocus=window.pwned=1 x='`,
  'javascript:window.pwned=1//',
  '__proto__',
  'constructor',
  '$(>pwned)',
  '`>pwned`',
  `';>pwned;'`,
  '\n>pwned\n',
  '-e;>pwned;',
  'x\u202egpj.exe',
  'x\u001b[2J\u001b[31mred\u0007',
  'x\u0000\u0008\u007f\u0085\u200b\ufeff',
  '../../../..//evil.example/x?a=b&c#d',
  '%3Cscript%3Ewindow.pwned=1%3C/script%3E',
  '{{7*7}}<%=7*7%>',
  'w'.repeat(2_000),
];

/** Fields whose text the program itself chooses. */
const OWN = new Set([
  ...[
    'id',
    'ids',
    'state',
    'mode',
    'kind',
    'severity',
    'protocol',
    'dns',
    'loader',
    'template',
    'gate',
    'cause',
  ],
  ...[
    'version',
    'address',
    'source',
    'ports',
    'types',
    'fingerprint',
    'kvPath',
    'ingressPath',
    'verb',
    'guard',
  ],
]);

/** Equal texts become equal ones, so that what belongs together still does. */
export function hostileState(sample: LiveState): LiveState {
  const made = new Map<string, string>();
  // Containers and keys have each of them as it is.
  for (const [at, { target }] of [...sample.workloads.values()].entries()) made.set(target, wordAt(at));
  for (const [at, key] of [...sample.keys.keys()].entries()) made.set(key, wordAt(at + 4));
  const hostile = (text: string): string => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const next = `${wordAt(made.size)}${made.size}`;
    made.set(text, next);
    return next;
  };
  const wire: unknown = changed(wireOf(sample), '', hostile);
  return stateOf(Object(wire));
}

const wordAt = (at: number): string => HOSTILE[at % HOSTILE.length] ?? '';

/** Tables whose entries have an id that is a name. */
const BY_NAME = new Set(['keys', 'ingressKeys', 'services', 'sources', 'unsupported', 'notEnabled', 'hosts']);

function changed(value: unknown, field: string, hostile: (text: string) => string): unknown {
  if (typeof value === 'string') return OWN.has(field) || value === '' ? value : hostile(value);
  if (Array.isArray(value)) {
    const [id, entry] = value;
    const isPair =
      value.length === 2 && typeof id === 'string' && typeof entry === 'object' && entry !== null;
    if (!isPair) return value.map((one) => changed(one, field, hostile));
    return [BY_NAME.has(field) ? hostile(id) : id, changed(entry, '', hostile)];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, name, hostile)]));
}
