/**
 * Messages for data that is not available.
 */

/** xtables has no sets to which a rule could add a packet's destination. */
export const unrecorded = (template: string | undefined): string =>
  `denied connections are not known: the template ${template ?? 'in use'} does not record them; nftables does (--template)`;
