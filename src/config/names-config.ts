/**
 * What rules by DNS name need to know, from their options.
 */
import type { Endpoint } from '../net/endpoint.ts';
import type { OptionReader } from './option-reader.ts';

export interface NamesConfig {
  /** Who is asked for names that rules allow; undefined: the resolvers of the host. */
  readonly upstream: readonly Endpoint[] | undefined;
  /** Consul's DNS server; undefined: that of the agent. */
  readonly consul: Endpoint | undefined;
  /** Seconds beyond the lifetime of a record. */
  readonly grace: number;
  /** Addresses that are granted at once. */
  readonly limits: { readonly perName: number; readonly perNamespace: number };
  /** New names a minute under each wildcard. */
  readonly freshPerMinute: number;
  /** Milliseconds after its last question in which a name is asked again; 0: never. */
  readonly refresh: number;
  /** For names that no rule allows. */
  readonly answer: 'refused' | 'nxdomain';
}

export const DNS_PORT = 53;
/** Of Consul's DNS server. */
export const CONSUL_PORT = 8600;
/** A set of the kernel that has no size of its own holds 65,535. */
const MOST_ADDRESSES = 60_000;
/** Hours. */
const LONGEST_GRACE = 24;
const LONGEST_REFRESH = 7 * 24;
/** Seconds: an answer that is kept is as old as its record, so a name can be asked anew only within the grace. */
const LEAST_GRACE = 20;

export const namesConfig = (read: OptionReader): NamesConfig => {
  const [perName, perNamespace] = read.pair('namesLimit', MOST_ADDRESSES);
  return {
    upstream: read.servers('namesUpstream', DNS_PORT),
    consul: read.server('namesConsul', CONSUL_PORT),
    grace: read.upToHours('namesGrace', LONGEST_GRACE),
    limits: { perName, perNamespace },
    freshPerMinute: read.integer('namesFresh', 1, 100_000),
    refresh: read.upToHoursWith('namesRefresh', LONGEST_REFRESH, 'namesGrace', LEAST_GRACE) * 1000,
    answer: read.word('namesAnswer', ['refused', 'nxdomain']),
  };
};
