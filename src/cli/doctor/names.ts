/**
 * Evaluates what rules by name need. Pure.
 */
import { list } from '../../format/values.ts';
import type { Evaluated } from './checks.ts';
import type { AskedServer, Facts, NamesFacts } from './facts.ts';

const ok = (message: string): Evaluated => ({ health: 'ok', message });
const warning = (message: string, remedy: string): Evaluated => ({ health: 'warning', message, remedy });
const error = (message: string, remedy: string): Evaluated => ({ health: 'error', message, remedy });

/** A host that has no such rule is not told to change anything. */
export function rulesByName({ names, tried }: Facts): Evaluated {
  const reason = whyNot(names, 'error' in tried ? tried.error : undefined);
  if (names.rules === 0)
    return ok(
      reason === undefined ? 'no key has one' : `no key has one; they would not work here: ${reason}`,
    );
  const rules = `the keys have ${names.rules}`;
  if (reason !== undefined)
    return error(
      `${rules}, which grant nothing: ${reason}`,
      'they need the template nftables, and a controller on the host that uses nsenter, or in a container with --pid host and the right to use it; docs/names.md, "Where it does not work"',
    );
  if (!names.cgroup)
    return warning(
      `${rules}; names of containers are not answered beside them: cgroups of version 2 are not mounted, or cannot be written to`,
      'mount them at /sys/fs/cgroup; for a controller in a container: --cgroupns host, /sys/fs/cgroup writable',
    );
  return ok(rules);
}

const whyNot = (names: NamesFacts, tried: string | undefined): string | undefined => {
  if (names.unavailable !== undefined) return names.unavailable;
  if (!names.nsenter) return `nsenter does not work here${tried === undefined ? '' : ` (${tried})`}`;
  return names.seesContainers === false
    ? 'the processes of containers are not visible here, so containers with such rules have no DNS'
    : undefined;
};

/** Undefined: nobody needs them. */
export function nameResolvers({ names }: Facts): Evaluated | undefined {
  const { rules, servers, consul } = names;
  if (rules === 0) return undefined;
  if (servers.length === 0)
    return error(
      '/etc/resolv.conf names no resolver, so no name is answered',
      'add one, or set --names-upstream',
    );
  const silent = servers.filter(({ outcome }) => outcome === undefined);
  if (silent.length > 0) return withSilent(silent, silent.length === servers.length);
  const failing = servers.find(({ outcome = '' }) => !ANSWERED.includes(outcome));
  if (failing !== undefined)
    return warning(
      `${failing.address} says ${failing.outcome} to the question for ${failing.name}, which a rule names`,
      'ask it from here, for example with dig, or set --names-upstream',
    );
  return ok(`${addresses(servers)} ${servers.length === 1 ? 'answers' : 'answer'}${withoutConsul(consul)}`);
}

const withSilent = (silent: readonly AskedServer[], areAll: boolean): Evaluated => {
  const what = `${addresses(silent)} ${silent.length === 1 ? 'does' : 'do'} not answer`;
  const remedy = 'find out why from here, for example with dig, or set --names-upstream';
  return areAll
    ? error(`${what}, so no name is answered`, remedy)
    : warning(`${what}, other resolvers do; questions take longer`, remedy);
};

const withoutConsul = (consul: AskedServer | undefined): string =>
  consul !== undefined && consul.outcome === undefined
    ? `; names of services are not answered, as Consul's DNS server does not answer at ${consul.address} (--names-consul)`
    : '';

const ANSWERED = ['NOERROR', 'NXDOMAIN'];

const addresses = (servers: readonly AskedServer[]): string => list(servers.map(({ address }) => address));
