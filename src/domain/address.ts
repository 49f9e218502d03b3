/**
 * IP addresses and prefixes as integers. Both families share one representation, so that the
 * algorithms on rule sets know nothing of dots and colons.
 */
export type Family = 4 | 6;

/**
 * A CIDR prefix. `address` is its first address as an unsigned integer (32 or 128 bits wide), host
 * bits zero; `length` counts leading bits, 0–32 or 0–128.
 */
export interface Prefix {
  readonly family: Family;
  readonly address: bigint;
  readonly length: number;
}
