/**
 * Evaluates the facts of a host: one line for each, with the solution if something is wrong. Pure.
 */
import { count, list } from '../../format/values.ts';
import type { Check, Evaluated } from './checks.ts';
import type { Facts, Firewalls } from './facts.ts';
import { nameResolvers, rulesByName } from './names.ts';
import { networksFile } from './networks.ts';

const ok = (message: string): Evaluated => ({ health: 'ok', message });
const warning = (message: string, remedy: string): Evaluated => ({ health: 'warning', message, remedy });
const error = (message: string, remedy: string): Evaluated => ({ health: 'error', message, remedy });

/** Undefined: there is nothing to say. */
const EVALUATORS: Readonly<Record<string, (facts: Facts) => Evaluated | undefined>> = {
  kernel,
  user,
  nftables,
  'docker engine': engine,
  'engine setup': engineSetup,
  'helper image': helperImage,
  consul,
  'consul permissions': consulPermissions,
  controller,
  gate,
  'user namespaces': userNamespaces,
  'host rules': hostRules,
  'rules by name': rulesByName,
  'name resolvers': nameResolvers,
  'networks.json': networksFile,
  'other firewalls': ({ firewalls }) => otherFirewalls(firewalls),
};

export const evaluate = (facts: Facts): readonly Check[] =>
  Object.entries(EVALUATORS).flatMap(([topic, each]) => {
    const evaluated = each(facts);
    return evaluated === undefined ? [] : [{ topic, ...evaluated }];
  });

/** Where helpers load them, their image has what they need. */
function hostRules({ host, isHostLeft, loader, tried, conntrack, networks }: Facts): Evaluated | undefined {
  if (host === undefined)
    return isHostLeft
      ? warning(
          'turned off, but those of an earlier run may still be loaded',
          'run `egresstrator host clear`',
        )
      : undefined;
  const parts = [
    ...(host.hasGuard ? ['--ports'] : []),
    ...(host.hasForwards ? ['--forwards'] : []),
    ...(networks === undefined ? [] : ['--networks']),
  ];
  const on = `on (${list(parts)})`;
  if (loader === 'helper' || 'error' in tried) return ok(`${on}, by helpers with the network of the host`);
  if (host.hasForwards && !conntrack)
    return warning(
      `${on}, but the program conntrack is missing here, so connections of removed forwards go on`,
      'install the package conntrack, or use --loader helper',
    );
  return ok(on);
}

function kernel({ platform, release, template }: Facts): Evaluated {
  if (platform !== 'linux')
    return error(
      `this is ${platform}, and rules are loaded in the Linux kernel that runs the containers`,
      'run egresstrator on the Linux host of the Docker Engine, or in a container there',
    );
  if (isBefore(release, 5, 16) && template !== 'iptables')
    return error(
      `Linux ${release}: before 5.16 the kernel has no netdev egress chain, so the template ${template} may not load`,
      'use a newer kernel, or --template iptables and --cap-drop NET_RAW (docs/security.md)',
    );
  if (isBefore(release, 6, 16))
    return warning(
      `Linux ${release}: before 6.16 an interface that is added later is guarded from the next drift check on`,
      'nothing, unless you attach networks to running containers (docs/operating.md)',
    );
  return ok(`Linux ${release}`);
}

function isBefore(release: string, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}

function user({ isRoot }: Facts): Evaluated {
  if (isRoot) return ok('root');
  return warning('not root, so some checks are incomplete', 'run it with sudo');
}

/** Without nft on the host, the helper image has it. */
function nftables({ nft, tried, loader, platform }: Facts): Evaluated {
  if ('value' in nft && 'value' in tried) return ok(`${nft.value}, and the kernel accepts a table`);
  const reason = 'error' in nft ? nft.error : 'error' in tried ? tried.error : '';
  if (loader === 'nsenter')
    return error(
      `rules cannot be loaded by nsenter: ${reason}`,
      'install nftables and util-linux and run as root, or use --loader helper',
    );
  if (platform !== 'linux') return warning('checked only on Linux', 'run doctor on the Docker host');
  return warning(
    `nsenter does not work here, so helper containers load rules: ${reason}`,
    'install nftables and util-linux and run as root: loads are ten times as fast',
  );
}

function engine({ engine: found }: Facts): Evaluated {
  if ('error' in found) return error(found.error, 'start the Docker Engine, or name it with --docker-host');
  return ok(`Docker Engine ${found.value.version}, cgroup ${found.value.cgroup ?? 'unknown'}`);
}

/** Setups in which the gate and nsenter do not work. */
function engineSetup({ engine: found, gate: gateFound }: Facts): Evaluated {
  if ('error' in found) return warning('not known: the Engine does not answer', 'see above');
  const { isRootless, remapsUsers, storesInContainerd } = found.value;
  if (isRootless)
    return error(
      'it runs rootless, so neither the gate nor nsenter works',
      'use an Engine that runs as root',
    );
  const gated = 'value' in gateFound && gateFound.value.installed;
  if (storesInContainerd && gated)
    return warning(
      "images are in containerd's store, which the gate cannot read: it treats every setting as the image's",
      'nothing, if no image sets EGRESSTRATOR_ variables; see docs/gate.md',
    );
  const notes = [
    ...(remapsUsers ? ['userns-remap'] : []),
    ...(storesInContainerd ? ["containerd's image store"] : []),
  ];
  return ok(notes.length === 0 ? 'as root, with its usual settings' : `as root, with ${list(notes)}`);
}

function helperImage({ helperImage: found, loader, tried }: Facts): Evaluated {
  if ('value' in found) return ok(found.value);
  if (loader === 'nsenter' || (loader === 'auto' && 'value' in tried))
    return ok('none; not needed, nsenter works');
  return error(found.error, 'build it: docs/operating.md, "Two ways to load"');
}

function consul({ keys: found }: Facts): Evaluated {
  if ('error' in found)
    return error(found.error, 'start Consul, or correct --consul, its token and its certificates');
  if (found.value > 0) return ok(`it answers, with ${count(found.value, 'ACL key')}`);
  return warning('it answers, but has no ACL keys', 'add the first one, or correct --kv-path');
}

function consulPermissions({ permissions: found }: Facts): Evaluated {
  if ('error' in found) return warning(`not known: ${found.error}`, 'see above');
  const may = found.value;
  if (may === undefined) return ok('not known: Consul has no ACLs, or is too old');
  const lacking = (['keys', 'services', 'nodes'] as const).filter((what) => !may[what]);
  if (lacking.length === 0) return ok('the token may read keys, services and nodes');
  return error(`the token may not read ${list(lacking)}`, 'give it the policy of docs/operating.md');
}

function controller({ controller: found, version, socket }: Facts): Evaluated {
  if (found === undefined)
    return warning(
      `none answers at ${socket}`,
      'start one, or give its --socket; in a container: docker exec <container> egresstrator doctor',
    );
  if ('error' in found) return error(found.error, 'restart it');
  if (found.value === version) return ok(`version ${version}, as this program`);
  return warning(
    `it has version ${found.value}, this program ${version}`,
    'restart the controller after an upgrade, or use the program of its version',
  );
}

function gate({ gate: found }: Facts): Evaluated {
  if ('error' in found) return warning(`not known: ${found.error}`, 'run doctor as root on the Docker host');
  const { installed, current, knownToEngine, missingTools, isDefault } = found.value;
  if (!installed && knownToEngine !== true)
    return warning(
      'not installed: a container is open from its first instruction until its rules are loaded',
      'egresstrator gate install',
    );
  if (missingTools.length > 0)
    return error(`it needs on the host: ${missingTools.join(', ')}`, 'install these packages');
  if (!installed || knownToEngine === false)
    return error(
      installed
        ? 'its files exist, but it is not registered with the Engine'
        : 'it is registered with the Engine, but its files are missing',
      'egresstrator gate install',
    );
  if (!current) return error('its files are of another version', 'egresstrator gate install');
  return ok(
    isDefault ? 'installed, and the default runtime' : 'installed, for containers that name its runtime',
  );
}

function userNamespaces({ userNamespaces: most }: Facts): Evaluated {
  if (most === undefined) return ok('this kernel does not say');
  if (most === 0) return ok('processes cannot create any');
  return ok('processes can create them; rules stay with the network (docs/security.md)');
}

/**
 * Other firewalls are in the host's namespace, and so is our table for the host. The tables for containers are not.
 */
function otherFirewalls({ legacyTables, nftTables: found, firewalld, ufw }: Firewalls): Evaluated {
  const nftTables = 'value' in found ? { value: found.value.filter((one) => one !== HOST_TABLE) } : found;
  const own =
    'value' in nftTables ? nftTables.value.find((one) => / egresstrator(_\w+)?$/.test(one)) : undefined;
  if (own !== undefined)
    return error(
      "the host's own namespace has a table of egresstrator, which does not belong there",
      `find out why, then: nft delete table ${own}`,
    );
  const seen = [
    ...(firewalld ? ['firewalld'] : []),
    ...(ufw ? ['ufw'] : []),
    ...(legacyTables.length > 0 ? [`iptables-legacy (${legacyTables.join(', ')})`] : []),
    ...('value' in nftTables && nftTables.value.length > 0
      ? [count(nftTables.value.length, 'nft table')]
      : []),
  ];
  const unseen = 'error' in nftTables ? '; nft tables could not be listed' : '';
  if (seen.length === 0) return ok(`none found${unseen}`);
  const mixed =
    legacyTables.length > 0 && 'value' in nftTables && nftTables.value.some((one) => /^ip6? /.test(one));
  const message = `in the host's namespace: ${list(seen)}${unseen}; they deny in addition to our rules`;
  return mixed
    ? warning(
        `${message}; old and new iptables are both in use`,
        'use only one: each hides the rules of the other',
      )
    : ok(message);
}

const HOST_TABLE = 'inet egresstrator_host';
