/**
 * What a plan would make and remove now, in the order in which the controller does it: networks, containers in them,
 * forwarding, the host's rules, ports of containers, routes. Pure.
 */
import type { NamespaceId } from '../../inventory/namespace.ts';
import { formatPrefix } from '../../net/address.ts';
import { forwardStatement, networkStatement, permitStatement, type Statement } from './diff.ts';
import { differencesOf, linesOf } from './inner-routes.ts';
import type { DesiredNetworks, InnerRules } from './model.ts';

export interface Step extends Pick<Statement, 'text'> {
  readonly kind: 'network' | 'address' | 'forwarding' | 'permit' | 'forward' | 'route';
  readonly action: 'make' | 'remove';
  /** Where it stands in the file; undefined: it does not. */
  readonly path?: string | undefined;
}

/** What is loaded, of what is read from a kernel. */
export interface Loaded {
  /** What the file that was applied last desires; undefined: none was. */
  readonly before: DesiredNetworks | undefined;
  /** The host has its rules. */
  readonly hasHostRules: boolean;
  readonly inner: ReadonlyMap<NamespaceId, LoadedInner>;
}

export interface LoadedInner {
  /** The container's name. */
  readonly container: string;
  readonly hasForwards: boolean;
  /** Our routes, and `forward ipv4` if the namespace forwards. */
  readonly routes: readonly string[];
}

export function stepsOf(desired: DesiredNetworks, loaded: Loaded): readonly Step[] {
  const before = loaded.hasHostRules ? loaded.before : undefined;
  return [
    ...desired.networks.map((one) => made(networkStatement(one))),
    ...desired.attachments.map((one) => ({
      ...({ kind: 'address', action: 'make', path: one.origin.path } as const),
      text: `${one.container} is attached to ${one.network} with ${one.addresses.map(formatPrefix).join(' and ')}`,
    })),
    ...desired.forwarding.filter((family) => family === 4).map(() => FORWARDING),
    ...changes(before?.permits.map(permitStatement), desired.permits.map(permitStatement)),
    ...changes(before?.hostForwards.map(onHost), desired.hostForwards.map(onHost)),
    ...innerSteps(desired, loaded),
  ];
}

const FORWARDING = { kind: 'forwarding', action: 'make', text: 'this host forwards IPv4' } as const;

const onHost = (one: DesiredNetworks['hostForwards'][number]): Statement =>
  forwardStatement(one, `${one.device} of this host`);

const made = (statement: Statement): Step => ({ ...statement, action: 'make' });

/** Removals first, as a port may lead elsewhere. */
function changes(before: readonly Statement[] = [], after: readonly Statement[]): readonly Step[] {
  const without = (all: readonly Statement[], others: readonly Statement[]) => {
    const known = new Set(others.map(({ text }) => text));
    return [...new Map(all.map((one) => [one.text, one])).values()].filter(({ text }) => !known.has(text));
  };
  return [
    ...without(before, after).map(({ kind, text }) => ({ kind, text, action: 'remove' }) as const),
    ...without(after, before).map(made),
  ];
}

/** Ports of all containers, then their routes. */
function innerSteps({ inner }: DesiredNetworks, { before, inner: present }: Loaded): readonly Step[] {
  const ids = [...new Set([...inner.keys(), ...present.keys()])];
  const forwards = ids.flatMap((id) => {
    const known = present.get(id)?.hasForwards === true ? before?.inner.get(id) : undefined;
    return changes(innerStatements(known), innerStatements(inner.get(id)));
  });
  return [...forwards, ...ids.flatMap((id) => routeSteps(inner.get(id), present.get(id)))];
}

const innerStatements = (rules: InnerRules | undefined): readonly Statement[] =>
  (rules?.forwards ?? []).map((one) =>
    forwardStatement(one, `${one.device ?? 'every device'} of ${rules?.container ?? one.inside}`),
  );

function routeSteps(rules: InnerRules | undefined, present: LoadedInner | undefined): readonly Step[] {
  const [wanted, found] = [rules === undefined ? [] : linesOf(rules), present?.routes ?? []];
  const name = rules?.container ?? present?.container ?? '';
  return differencesOf(wanted, found).map((line) => ({
    ...({ kind: 'route', action: found.includes(line) ? 'remove' : 'make' } as const),
    text: line.startsWith('forward ')
      ? `${name} forwards ${line.replace('forward ipv', 'IPv')}`
      : `${name} reaches ${line}`,
  }));
}
