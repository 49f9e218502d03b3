/**
 * A naive model of the whole: keys, services and containers as plain data, random operations on them, and
 * what each container may then reach, decided point by point. It shares no code with the program.
 */
import fc from 'fast-check';

/** Who may be reached; addresses are filled in by whoever has them. */
export const HOSTS = ['server4', 'other4', 'stranger4', 'server6', 'other6'] as const;
export type Host = (typeof HOSTS)[number];
const PORTS = [1, 79, 80, 81, 82, 443, 65535] as const;

export interface Point {
  readonly host: Host;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export const POINTS: readonly Point[] = HOSTS.flatMap((host) =>
  (['tcp', 'udp'] as const).flatMap((protocol) => PORTS.map((port) => ({ host, protocol, port }))),
);

/** Never allowed by any line: a guard may try it all the time. */
export const FORBIDDEN: Point = { host: 'other4', protocol: 'tcp', port: 82 };

/** One line of a key. `text` has `{server4}` where an address goes. */
interface Line {
  readonly text: string;
  readonly allows: (point: Point, services: Services) => boolean;
}

export interface Instance {
  readonly node: string;
  readonly service: string;
  readonly tag: string;
  readonly host: Host;
  readonly port: number;
}
export type Services = ReadonlyMap<string, Instance>;

const never = () => false;
const service = (name: string, protocol: string, tag?: string): Line['allows'] => {
  const fits = (one: Instance, point: Point) =>
    one.service === name &&
    (tag === undefined || one.tag === tag) &&
    one.host === point.host &&
    one.port === point.port;
  return (point, services) =>
    point.protocol === protocol && [...services.values()].some((one) => fits(one, point));
};
const hosts = (names: readonly Host[], protocol: string, first: number, last = first): Line['allows'] => {
  return ({ host, protocol: asked, port }) =>
    names.includes(host) && asked === protocol && first <= port && port <= last;
};

/** Good, overlapping, odd and bad lines. */
const LINES: readonly Line[] = [
  { text: '{server4}:tcp/80', allows: hosts(['server4'], 'tcp', 80) },
  { text: '{server4}/32:tcp/80-82', allows: hosts(['server4'], 'tcp', 80, 82) },
  { text: '{server4}:udp/81', allows: hosts(['server4'], 'udp', 81) },
  { text: '{server4}/24:tcp/79-80', allows: hosts(['server4', 'other4', 'stranger4'], 'tcp', 79, 80) },
  { text: '{other4}:udp', allows: hosts(['other4'], 'udp', 0, 65535) },
  { text: '{other4}:tcp/81', allows: hosts(['other4'], 'tcp', 81) },
  { text: '{server6}:tcp/80', allows: hosts(['server6'], 'tcp', 80) },
  { text: '[{server6}]/64:udp/80-81', allows: hosts(['server6', 'other6'], 'udp', 80, 81) },
  { text: 'web', allows: service('web', 'tcp') },
  { text: 'blue.web', allows: service('web', 'tcp', 'blue') },
  { text: 'dns:udp', allows: service('dns', 'udp') },
  { text: '# a comment, and a blank line\r\n', allows: never },
  { text: 'this is no rule', allows: never },
  { text: '{server4}:tcp/99999', allows: never },
  { text: '}; add rule inet egresstrator_egress output accept', allows: never },
];

export const KEYS = ['a', 'b', 'c/d'] as const;
export const SLOTS = ['one', 'two', 'three'] as const;
export type Slot = (typeof SLOTS)[number];
/** The node names the instance. */
const INSTANCES: readonly Instance[] = [
  { node: 'n1', service: 'web', tag: 'blue', host: 'server4', port: 80 },
  { node: 'n2', service: 'web', tag: 'green', host: 'server4', port: 81 },
  { node: 'n3', service: 'web', tag: 'blue', host: 'other4', port: 80 },
  { node: 'n4', service: 'dns', tag: 'blue', host: 'server4', port: 80 },
  { node: 'n5', service: 'dns', tag: 'green', host: 'server6', port: 443 },
];

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly lines: readonly number[] }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'delete all' }
  | { readonly kind: 'register'; readonly instance: Instance }
  | { readonly kind: 'deregister'; readonly node: string }
  | {
      readonly kind: 'start';
      readonly slot: Slot;
      readonly grants: readonly string[];
      readonly shares?: Slot;
    }
  | { readonly kind: 'stop'; readonly slot: Slot }
  | { readonly kind: 'restart'; readonly slot: Slot }
  | { readonly kind: 'alter'; readonly slot: Slot }
  | { readonly kind: Fault };

export const FAULTS = [
  'partition',
  'heal',
  'cut consul',
  'cut engine',
  'kill controller',
  'kill consul',
] as const;
export type Fault = (typeof FAULTS)[number];
export const isFault = ({ kind }: Operation): boolean => FAULTS.some((fault) => fault === kind);

const key = fc.constantFrom(...KEYS);
const slot = fc.constantFrom(...SLOTS);
const grants = fc.uniqueArray(fc.constantFrom(...KEYS, 'unknown'), { maxLength: 3 });
const edits: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      lines: fc.uniqueArray(fc.nat(LINES.length - 1), { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'delete all' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('register' as const), instance: fc.constantFrom(...INSTANCES) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deregister' as const),
      node: fc.constantFrom(...INSTANCES.map(({ node }) => node)),
    }),
  },
);
const lives: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), slot, grants }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      slot: fc.constant('three' as const),
      grants,
      shares: fc.constantFrom('one' as const, 'two' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stop' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('alter' as const), slot }) },
);

/** Operations that follow each other at once; a fault stands alone, as what was known before it counts. */
export const stepFrom = (faults: readonly Fault[]): fc.Arbitrary<readonly Operation[]> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.oneof({ weight: 3, arbitrary: edits }, { weight: 2, arbitrary: lives }), {
        minLength: 1,
        maxLength: 4,
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom(...faults).map((kind): readonly Operation[] => [{ kind }]) },
  );

/** What Consul holds, or what the controller last knew of it. */
export interface ConsulState {
  readonly keys: ReadonlyMap<string, readonly number[]>;
  readonly services: Services;
}

/** Whether a container with these grants may reach the point. */
export const mayReach = (
  granted: readonly string[],
  { keys, services }: ConsulState,
  point: Point,
): boolean =>
  granted.some((name) =>
    (keys.get(name) ?? []).some((line) => LINES[line]?.allows(point, services) ?? false),
  );

/** A key's text, with the addresses of this run. */
export const textOf = (lines: readonly number[], addresses: Readonly<Record<Host, string>>): string =>
  lines
    .map((line) =>
      (LINES[line]?.text ?? '').replace(
        /\{(\w+)\}/g,
        (whole, name) => Object.entries(addresses).find(([host]) => host === name)?.[1] ?? whole,
      ),
    )
    .join('\n');
