/**
 * What a template has of rules by name: the sets of granted addresses, and the datagrams by which they are filled.
 */
import { formatRange } from '../../net/ranges.ts';
import { PROXY_ADDRESSES, SEAL_RULES } from '../../policy/name-seal.ts';
import type { PortClass } from '../../policy/port-classes.ts';
import { CONNECTIONS_PER_SECOND, QUESTIONS_PER_SECOND } from '../../policy/question-rates.ts';
import type { ShapeOf } from '../../rendering/shape.ts';

export interface NamesContext {
  /** Questions go to the proxy, and it alone grants what names resolve to. */
  readonly active: boolean;
  /** Where the proxy listens inside the namespace. */
  readonly proxy4: string;
  readonly proxy6: string;
  /** Of datagrams with questions, and of new connections for them: so many in a second may come to it. */
  readonly questions: string;
  readonly connections: string;
  /** Each list of ports that rules by name have. */
  readonly classes: readonly {
    /** For the names of its sets, and in datagrams. */
    readonly number: string;
    /** `tcp` or `udp`. */
    readonly protocol: string;
    /** `443`, or `{ 80, 443, 8000-8100 }`. */
    readonly ports: string;
  }[];
  /** In a datagram in place of a class: the proxy is there. */
  readonly alive: string;
  readonly remove4: string;
  readonly remove6: string;
  readonly grants4: readonly GrantCommand[];
  readonly grants6: readonly GrantCommand[];
}

interface GrantCommand {
  /** In the datagram. */
  readonly command: string;
  /** `300s`: for so long an address is in its set. */
  readonly timeout: string;
}

const COMMANDS_SHAPE = { list: { fields: { command: 'text', timeout: 'text' } } } as const;

export const NAMES_SHAPE: ShapeOf<NamesContext> = {
  fields: {
    active: 'flag',
    proxy4: 'text',
    proxy6: 'text',
    questions: 'text',
    connections: 'text',
    classes: { list: { fields: { number: 'text', protocol: 'text', ports: 'text' } } },
    alive: 'text',
    remove4: 'text',
    remove6: 'text',
    grants4: COMMANDS_SHAPE,
    grants6: COMMANDS_SHAPE,
  },
};

export const namesContext = (active: boolean, classes: readonly PortClass[]): NamesContext => ({
  active,
  proxy4: PROXY_ADDRESSES[4],
  proxy6: PROXY_ADDRESSES[6],
  questions: String(QUESTIONS_PER_SECOND),
  connections: String(CONNECTIONS_PER_SECOND),
  classes: active ? classes.map(printClass) : [],
  alive: hex(SEAL_RULES.alive),
  remove4: hex(SEAL_RULES.remove[4]),
  remove6: hex(SEAL_RULES.remove[6]),
  grants4: SEAL_RULES.grants[4].map(printGrant),
  grants6: SEAL_RULES.grants[6].map(printGrant),
});

const printClass = ({ number, protocol, ranges }: PortClass): NamesContext['classes'][number] => ({
  ...{ number: String(number), protocol },
  ports: ranges.length === 1 ? ranges.map(formatRange).join() : `{ ${ranges.map(formatRange).join(', ')} }`,
});

const printGrant = ({ command, timeout }: (typeof SEAL_RULES)['grants'][4][number]): GrantCommand => ({
  ...{ command: hex(command), timeout: `${timeout}s` },
});

const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
