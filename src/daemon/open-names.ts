/**
 * Opens what rules by name need: the proxy that answers, and the record of what is granted. Nothing of it is started
 * before a namespace wants names.
 */
import { uptime } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { bootId, steadyNow } from '../common/steady-clock.ts';
import type { Config } from '../config/config.ts';
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import { nsenterAvailable } from '../dataplane/select-loader.ts';
import { DEFAULT_FRESH } from '../features/names/fresh-names.ts';
import { FairSlots } from '../name-proxy/fair-slots.ts';
import { readLoadedNames } from '../name-proxy/loaded-names.ts';
import { NameProxy } from '../name-proxy/name-proxy.ts';
import { type ProxyCgroup, prepareCgroup } from '../name-proxy/proxy-cgroup.ts';
import { parseAddress } from '../net/address.ts';
import { parseAddress as parseConsulAddress } from '../sources/consul/address.ts';
import type { NamesPorts, StartedNames } from './name-rules.ts';
import { consulServer, upstreamServers } from './name-servers.ts';
import { ownAddresses } from './own-addresses.ts';
import { NamesFile } from './state/names-file.ts';

export const openNamesFile = ({ stateDir, dryRun }: Config, log: Logger): NamesFile | undefined => {
  if (stateDir === undefined || dryRun) return undefined;
  const clock = () => ({ now: steadyNow(), uptime: Math.round(uptime() * 1000), boot: bootId() });
  return new NamesFile(stateDir, log, clock);
};

export async function openNames(
  config: Config,
  file: NamesFile | undefined,
  log: Logger,
): Promise<NamesPorts> {
  const { names, protectedHosts } = config;
  const { host } = parseConsulAddress(config.consul.address, config.consul.ssl);
  const consul = consulServer(names, host);
  return {
    unavailable: whyNoNames(config),
    start: () => start(config, consul, log),
    policies: {
      ...{ grace: names.grace, answer: names.answer, protectedHosts, ownAddresses },
      consul: [host, consul?.address ?? ''].flatMap((address) => parseAddress(address) ?? []),
    },
    previous: (await file?.load()) ?? new Map(),
    persist: (state) => file?.save(state),
  };
}

/** Why the options rule out rules by name; undefined if they do not. */
export const whyNoNames = ({ dryRun, loader, docker }: Config): string | undefined => {
  if (dryRun) return 'a dry run answers no names';
  if (!/^(?:unix:|\/)/.test(docker.host))
    return `names are answered by sockets in the namespace of a container, and the Engine at ${docker.host} may be on another machine`;
  return loader === 'helper'
    ? 'names are answered by sockets that the controller opens in the namespace of a container, and it loads by helpers (--loader helper)'
    : undefined;
};

function start({ names }: Config, consul: ReturnType<typeof consulServer>, log: Logger): StartedNames {
  // It keeps the memory for short-lived objects at its least, and questions make many of them (src/cli/node-flags.ts).
  setFlagsFromString('--no-optimize-for-size');
  const cgroup = openCgroup(log);
  const proxy = new NameProxy({
    ...{ cgroup, now: steadyNow, consul: () => consul, upstream: upstreamServers(names, steadyNow) },
    onDefect: (error) => log.error({ error: messageOf(error) }, 'internal error in a question for a name'),
    limits: {
      grants: names.limits,
      fresh: { perMinute: names.freshPerMinute, memory: DEFAULT_FRESH.memory },
      refresh: names.refresh,
    },
  });
  const unavailable = nsenterAvailable().then((isAvailable) => (isAvailable ? undefined : NO_NSENTER));
  const slots = new FairSlots(MOST_RECALLED);
  const recall = (namespace: NamespaceRef) =>
    slots.run(namespace.containerId, () => readLoadedNames(namespace, steadyNow));
  return { proxy, cgroup, recall, unavailable: unavailable.catch(() => NO_NSENTER) };
}

/** Kernels that are read at once. */
const MOST_RECALLED = 2;

const NO_NSENTER =
  'names are answered by sockets that the controller opens in the namespace of a container, and nsenter does not work here; see docs/names.md';

function openCgroup(log: Logger): ProxyCgroup | undefined {
  try {
    return prepareCgroup();
  } catch (error) {
    log.warn({ error: messageOf(error) }, "names of containers on Docker's networks cannot be answered");
    return undefined;
  }
}
