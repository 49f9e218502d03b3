/**
 * Facts of one namespace that the rendered text does not contain, so that namespaces with the same grants share the
 * text. They are nft variables in front of it, and the kernel's rules have their digest.
 */
import { complete, shortDigest } from '../../rendering/fingerprint.ts';
import { splitResolvers } from './context.ts';
import {
  type HeldAddresses,
  type NameFacts,
  NOTHING_HELD,
  nameVariables,
  nameWords,
  withSockets,
} from './name-facts.ts';

export interface Facts {
  /** The addresses of the namespace's own resolvers; invalid ones are left out. */
  readonly resolvers: readonly string[];
  /** The namespace's attachments: the text must be loaded again after a change. */
  readonly attachments: readonly string[];
  /** Of the proxy in the namespace, for a text with rules by name. */
  readonly names?: NameFacts | undefined;
}

/** A 32-bit digest, `0x1234abcd`, as the kernel's listing prints it. Order does not matter. */
export const factsDigest = (facts: Facts): string => {
  const { ipv4, ipv6 } = splitResolvers(facts.resolvers);
  const names = facts.names === undefined ? [] : nameWords(facts.names);
  const words = JSON.stringify([ipv4, ipv6, facts.attachments.toSorted(), ...names]);
  return shortDigest(words);
};

/**
 * The digest that the namespace must report after `text` is loaded: a text that does not use the facts reports none.
 */
export const expectedFacts = (text: string, facts: Facts): string | undefined =>
  !isXtables(text) && /\$facts\b/.test(text) ? factsDigest(facts) : undefined;

/**
 * Completes the text for a loader. An nft text gets the lines that define its variables. The sets also have loopback,
 * which is always allowed, because an empty set is a syntax error in nft. `held`: what is granted by name at this moment.
 */
export function withFacts(text: string, facts: Facts, held: HeldAddresses = NOTHING_HELD): string {
  if (isXtables(text)) return complete(text);
  const { names } = facts;
  const { ipv4, ipv6 } = splitResolvers(facts.resolvers);
  const lines = [
    `define facts = ${factsDigest(facts)}`,
    `define resolvers4 = { ${['127.0.0.1', ...ipv4].join(', ')} }`,
    `define resolvers6 = { ${['::1', ...ipv6].join(', ')} }`,
    ...(names === undefined ? [] : nameVariables(text, names, held)),
  ];
  const whole = names === undefined ? text : withSockets(text, names);
  return complete(`${lines.join('\n')}\n${whole}`);
}

/** Texts for iptables-restore have this first line, which is not valid in nft. */
export const isXtables = (text: string): boolean => text.startsWith('#!iptables-restore');

/**
 * True if the rules of a template record denied destinations, in sets whose names start with `denied`. xtables cannot:
 * a rule could at most add an address to a list, without protocol and port.
 */
export const recordsDenied = (source: string): boolean => !isXtables(source) && /\bset\s+denied/.test(source);
