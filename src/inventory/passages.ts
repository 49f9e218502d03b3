/**
 * The passages of our table's packets through other firewalls of the host, as they are.
 */

export interface Passages {
  readonly passages: readonly Passage[];
  /** Chains of nft that drop what is forwarded and know no mark, as `inet firewalld filter_FORWARD`. */
  readonly dropping: readonly string[];
  /** Tools that are not installed although their table exists. */
  readonly lacking: readonly string[];
  /** Tools that cannot change their table. */
  readonly failing: readonly string[];
}

export interface Passage {
  /** `iptables-nft`, … */
  readonly tool: string;
  /** Where it must be the first rule. */
  readonly chain: string;
  /** `moved`: it is not the only one, or not the first rule. */
  readonly state: 'kept' | 'moved' | 'absent';
}
