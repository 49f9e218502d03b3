/**
 * Evaluates what networks.json needs. Pure.
 */
import { count } from '../../format/values.ts';
import type { Evaluated } from './checks.ts';
import type { Facts } from './facts.ts';

/** Undefined: there is no networks.json. The first trouble counts. */
export function networksFile({ networks, loader, tried }: Facts): Evaluated | undefined {
  if (networks === undefined) return undefined;
  const { path, file, isMountedAlone, hasIp, forwards, isKept } = networks;
  const warning = (message: string, remedy: string): Evaluated => ({ health: 'warning', message, remedy });
  if ('error' in file)
    return {
      health: 'error',
      message: `${path} cannot be used: ${file.error}`,
      remedy: 'correct --networks or the file; in a container, mount its folder (docs/networks.md)',
    };
  if (loader !== 'helper' && 'value' in tried && !hasIp)
    return {
      health: 'error',
      message: 'the program ip is missing here, so routes in containers cannot be made',
      remedy: 'install the package iproute2, or use --loader helper',
    };
  if (file.value.errors > 0)
    return warning(
      `${path} has ${count(file.value.errors, 'error')}; these entries have no effect`,
      `egresstrator networks check ${path}`,
    );
  if (isMountedAlone)
    return warning(
      `${path} is mounted by itself, so a file that replaces it is not seen`,
      'mount its folder instead (docs/networks.md)',
    );
  if (!isKept)
    return warning(
      'without a state folder, a controller that starts while the file is broken applies nothing of it',
      'set --state-dir',
    );
  const forwarding =
    forwards === false
      ? '; IPv4 is not forwarded here yet: the controller turns that on when a policy needs it'
      : '';
  return { health: 'ok', message: `${path} has no errors${forwarding}` };
}
