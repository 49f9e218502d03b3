/**
 * What the rules of the host do, each in a line.
 */
import type { HostAnswer } from '../diagnostics/host-view.ts';

export const HOST_IS_OFF =
  'The host has no rules of egresstrator: the controller runs with --ports off and --forwards off, and without --networks.';

/** `enforce for IPv6; containers on other bridges call freely` */
export function guardText(guard: HostAnswer['guard']): string {
  if (guard === undefined) return 'not guarded (--ports off)';
  const families = guard.families.map((family) => `IPv${family}`).join(' and ');
  const others = guard.between ? 'need an open port too' : 'call freely';
  const mode = guard.mode === 'observe' ? 'observe (nothing is denied)' : guard.mode;
  return `${mode} for ${families}; containers on other bridges ${others}`;
}
