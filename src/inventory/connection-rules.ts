/**
 * Rules by which connections are known, as `dataplane/host` reads and prints them: forwards as
 * `tcp 80 172.18.0.2 8080`, permits as `permit tcp 172.19.0.0/16 172.18.0.2 80-81`.
 */
import { formatPrefix, type Prefix } from '../net/address.ts';
import { formatRange, type Range } from '../net/ranges.ts';
import type { Transport } from './network.ts';

export interface ForwardRule {
  readonly protocol: Transport;
  readonly port: number;
  readonly to: Prefix;
  readonly toPort: number;
}

export interface PermitRule {
  readonly from: Prefix;
  readonly to: Prefix;
  readonly protocol: Transport;
  readonly range: Range;
}

export const connectionRules = (
  forwards: readonly ForwardRule[],
  permits: readonly PermitRule[] = [],
): ReadonlySet<string> => new Set([...forwards.map(forwardText), ...permits.map(permitText)]);

const forwardText = ({ protocol, port, to, toPort }: ForwardRule): string =>
  `${protocol} ${port} ${formatPrefix(to)} ${toPort}`;

const permitText = ({ from, to, protocol, range }: PermitRule): string =>
  `permit ${protocol} ${formatPrefix(from)} ${formatPrefix(to)} ${formatRange(range)}`;
