/**
 * The states of the host's rules: one definition for status, API and metrics.
 */

/**
 * - `off`: the host has no rules of ours, as neither --ports nor --forwards was given.
 * - `pending`: waits for all that the rules depend on, or for a load; what is loaded stays meanwhile.
 * - `loaded`: the kernel has the present rules, as far as known.
 * - `failed`: the last attempt to load failed; it is tried again.
 */
export const HOST_STATES = ['off', 'pending', 'loaded', 'failed'] as const;

export type HostState = (typeof HOST_STATES)[number];
