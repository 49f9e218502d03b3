/**
 * Why something cannot be told.
 */

/** xtables has no sets that a packet could add itself to. */
export const unrecorded = (template: string | undefined): string =>
  `denied connections are not known: the template ${template ?? 'in use'} does not record them; nftables does (--template)`;
