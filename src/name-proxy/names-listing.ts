/**
 * Reads nft's listing of a loaded text with rules by name: what its proxy needs, and the addresses that are granted. A
 * listing does not tell to which name an address belongs. Pure.
 */
import type { Family, Prefix } from '../net/address.ts';
import { WIDTH } from '../net/address.ts';
import { PROXY_ADDRESSES, SECRET_BYTES } from '../policy/name-seal.ts';
import type { ClassNumbers } from '../policy/port-classes.ts';

export interface ListedTable {
  readonly port: number;
  readonly dockerPort: number;
  readonly secret: Uint8Array;
  readonly numbers: ClassNumbers;
}

export interface ListedElement {
  /** Of its port class. */
  readonly number: number;
  readonly address: Prefix;
  /** Milliseconds that the kernel still keeps it. */
  readonly left: number;
}

/** Undefined if the text has no rules by name. */
export function parseTable(listing: string): ListedTable | undefined {
  const secret = /@th,64,128 0x([0-9a-f]{1,32}) (?:goto|jump)/.exec(listing)?.[1];
  const port = PORT.exec(listing)?.[1];
  if (secret === undefined || port === undefined) return undefined;
  const docker = /ip daddr 127\.0\.0\.11 udp sport (\d+)/.exec(listing)?.[1];
  return {
    port: Number(port),
    // Nothing asks Docker's resolver then: any other port than that of the proxy will do.
    dockerPort: Number(docker) || (Number(port) % MOST_PORT) + 1,
    secret: Buffer.from(secret.padStart(2 * SECRET_BYTES, '0'), 'hex'),
    numbers: numbersIn(listing),
  };
}

const MOST_PORT = 65_535;
const PORT = new RegExp(`dnat ip to ${PROXY_ADDRESSES[4].replaceAll('.', '\\.')}:(\\d+)`);

/** `tcp dport { 80, 443, 8000-8100 } … @names4_3920` */
const numbersIn = (listing: string): ClassNumbers =>
  new Map(
    Array.from(
      listing.matchAll(/\b(tcp|udp) dport (\{[^}]*\}|[\d-]+) [^\n]*@names4_(\d+)/g),
      ([, protocol = '', ports = '', number = '']) => [
        `${protocol}/${ports.match(/[\d-]+/g)?.join(',') ?? ''}`,
        Number(number),
      ],
    ),
  );

/** What its sets hold. */
export const parseElements = (listing: string): readonly ListedElement[] =>
  Array.from(listing.matchAll(SET), ([, family = '', number = '', text = '']) =>
    elementsIn(text, family === '4' ? 4 : 6).map((one) => ({ ...one, number: Number(number) })),
  ).flat();

const SET = /set names([46])_(\d+) \{[^{}]*elements = \{([^}]*)\}/g;
const ELEMENT = /(0x[0-9a-f]+|\d+) timeout \w+ expires (\w+)/g;

const elementsIn = (text: string, family: Family): readonly Omit<ListedElement, 'number'>[] =>
  Array.from(text.matchAll(ELEMENT), ([, digits = '', expires = '']) => ({
    address: { family, address: BigInt(digits), length: WIDTH[family] },
    left: durationOf(expires),
  })).filter(({ address }) => address.address > 0n);

const UNITS: Readonly<Record<string, number>> = {
  ...{ d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 },
};

/** `23h59m58s960ms` */
const durationOf = (text: string): number =>
  Array.from(text.matchAll(/(\d+)(ms|[dhms])/g)).reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
