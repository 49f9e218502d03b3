/**
 * How containers of our own are known: by labels, so that what a crash leaves behind is found.
 */
export const roleLabel = 'egresstrator.role';
export const helperRole = 'helper';
const instanceLabel = 'egresstrator.instance';
/** Seconds since the epoch after which nobody waits for this container any more. */
export const expiresLabel = 'egresstrator.expires';

/** `instance` names the process that made it; it is not needed after `expiresAt` (ms since the epoch). */
export const ourLabels = (instance: string, expiresAt: number): Readonly<Record<string, string>> => ({
  [roleLabel]: helperRole,
  [instanceLabel]: instance,
  [expiresLabel]: String(Math.ceil(expiresAt / 1000)),
});
