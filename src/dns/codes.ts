/**
 * Numbers of DNS that the program decides by: types of records, response codes, classes. Their source is IANA's
 * registry of DNS parameters.
 */

export const TYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  PTR: 12,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  SIG: 24,
  PX: 26,
  AAAA: 28,
  NXT: 30,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  DNAME: 39,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

/** The extended ones (over 15) need EDNS. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type Rcode = (typeof RCODE)[keyof typeof RCODE];

const RCODES: ReadonlyMap<number, string> = new Map(
  Object.entries(RCODE).map(([name, number]) => [number, name]),
);

/** `NXDOMAIN`; a code without a name here as `RCODE9`. */
export const rcodeName = (rcode: number): string => RCODES.get(rcode) ?? `RCODE${rcode}`;

/** The class of the Internet; nothing else is asked or answered. */
export const CLASS_IN = 1;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TYPE).map(([name, number]) => [number, name]),
);

/** `AAAA`; a type without a name here as in RFC 3597: `TYPE99`. */
export const typeName = (type: number): string => NAMES.get(type) ?? `TYPE${type}`;
