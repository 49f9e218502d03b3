/**
 * Facts of one namespace that a rendered text does not hold, so that namespaces with the same grants
 * share the text. They travel as nft variables in front of it; the kernel keeps their digest.
 */
import { complete, shortDigest } from '../../rendering/fingerprint.ts';
import { splitResolvers } from './context.ts';

export interface Facts {
  /** Addresses of the namespace's own resolvers; what is no address is left out. */
  readonly resolvers: readonly string[];
  /** What it is attached to: the text must be loaded again when an interface comes. */
  readonly attachments: readonly string[];
}

/** A 32-bit digest, `0x1234abcd`, as the kernel's listing prints it. Order does not matter. */
export const factsDigest = (facts: Facts): string => {
  const { ipv4, ipv6 } = splitResolvers(facts.resolvers);
  const words = JSON.stringify([ipv4, ipv6, facts.attachments.toSorted()]);
  return shortDigest(words);
};

/** What the namespace must report once `text` is loaded: a text that ignores the facts reports none. */
export const expectedFacts = (text: string, facts: Facts): string | undefined =>
  !isXtables(text) && /\$facts\b/.test(text) ? factsDigest(facts) : undefined;

/**
 * The text as a loader takes it. An nft text gets the lines that define its variables; loopback fills
 * up the sets, as an empty one is a syntax error in nft, and grants nothing that was not open.
 */
export function withFacts(text: string, facts: Facts): string {
  if (isXtables(text)) return complete(text);
  const { ipv4, ipv6 } = splitResolvers(facts.resolvers);
  const lines = [
    `define facts = ${factsDigest(facts)}`,
    `define resolvers4 = { ${['127.0.0.1', ...ipv4].join(', ')} }`,
    `define resolvers6 = { ${['::1', ...ipv6].join(', ')} }`,
  ];
  return complete(`${lines.join('\n')}\n${text}`);
}

/** Texts for iptables-restore say so in their first line, as nft could not. */
export const isXtables = (text: string): boolean => text.startsWith('#!iptables-restore');

/**
 * Whether the rules of a template record denied destinations, in sets whose names start with `denied`. xtables
 * has nothing of that kind: a packet could at best add its address to a list, without protocol and port.
 */
export const recordsDenied = (source: string): boolean => !isXtables(source) && /\bset\s+denied/.test(source);
