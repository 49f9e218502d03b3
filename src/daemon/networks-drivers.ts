/**
 * Networks that Docker lacks, containers that lack an address in one, and routes, as steps of the reconciler: each is
 * tried until it is done. No network and no container's end is ever removed, and what Docker has otherwise stays: the next
 * plan tells how it differs.
 */
import { quote } from '../common/text.ts';
import type { HostFactsAccess } from '../dataplane/host-facts.ts';
import type { NamespaceRoutes } from '../dataplane/namespace-routes.ts';
import { hiddenRoute } from '../features/networks/docker-networks.ts';
import { differencesOf, type RoutesDesired } from '../features/networks/inner-routes.ts';
import type { DesiredAttachment, NetworkEntry } from '../features/networks/model.ts';
import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';
import type { Attachment, Network } from '../inventory/network.ts';
import type { NetworkMaker } from '../inventory/sources.ts';
import { contains, formatPrefix, type Prefix, parsePrefix } from '../net/address.ts';
import type { Driver } from '../reconciler/driver.ts';
import { steppedDriver } from '../reconciler/steps.ts';
import { refOf } from './ruleset-loader.ts';

const NETWORKS = 'networks';
const ATTACHMENTS = 'attachments';
const ROUTES = 'routes';

type Found<T> = T | 'absent';

/** With the namespace of its container, if it is known. */
export interface PlacedAttachment extends DesiredAttachment {
  readonly namespace: NetworkNamespace | undefined;
}

/** By Docker's name of the network. `host`: looked at anew for each, as no event tells of its routes. */
export const networkDriver = (
  docker: NetworkMaker,
  host: Pick<HostFactsAccess, 'read'> | undefined,
): Driver<NetworkEntry, Found<Network>> =>
  steppedDriver<NetworkEntry, Found<Network>, { readonly make: NetworkEntry }>({
    feature: NETWORKS,
    isSame: (one, other) => subnetsOf(one) === subnetsOf(other),
    inspect: async (name) => (await docker.find(name)) ?? 'absent',
    steps: (desired, observed) =>
      desired !== undefined && observed === 'absent' ? [{ action: 'make', with: desired }] : [],
    table: {
      make: async (wanted) => {
        const routes = await host?.read().then(
          (facts) => facts.routes,
          () => undefined,
        );
        const hidden = routes && hiddenRoute(wanted, routes);
        if (hidden !== undefined) throw new Error(hidden.reason);
        await docker.make(wanted.name, wanted.subnets);
      },
    },
  });

/** By `attachmentName`. */
export const attachmentDriver = (
  docker: NetworkMaker,
  routes: NamespaceRoutes | undefined,
): Driver<PlacedAttachment, Found<Attachment>> =>
  steppedDriver<PlacedAttachment, Found<Attachment>, { readonly attach: PlacedAttachment }>({
    feature: ATTACHMENTS,
    after: [NETWORKS],
    isSame: (one, other) => addressesOf(one) === addressesOf(other),
    inspect: async (_name, _signal, { containerId, network }) =>
      (await docker.endOf(containerId, network)) ?? 'absent',
    steps: (desired, observed) =>
      desired !== undefined && observed === 'absent' ? [{ action: 'attach', with: desired }] : [],
    table: {
      attach: async (wanted) => {
        await requireNoNamesake(docker, wanted);
        await requireFree(docker, wanted);
        if (routes !== undefined) await withdrawRoutes(routes, wanted);
        await docker.attach(wanted.containerId, wanted.network, wanted.addresses);
      },
    },
  });

/** A container that is started again has its address until then: its start would fail if another had got it. */
async function requireNoNamesake(
  docker: NetworkMaker,
  { container, otherNames }: DesiredAttachment,
): Promise<void> {
  for (const name of otherNames)
    if (await docker.hasContainer(name))
      throw new Error(
        `container ${quote(container)} is not attached, as the entry names the container ${quote(name)} too, which does not run; start or remove that, or name one of them alone`,
      );
}

/** Also a container that is being started again has its address until then. */
async function requireFree(
  docker: NetworkMaker,
  { container, containerId, network, addresses }: DesiredAttachment,
): Promise<void> {
  const holder = await docker.staticHolderOf(containerId, network, addresses);
  if (holder === undefined) return;
  const all = addresses.map(formatPrefix).join(' or ');
  throw new Error(
    `container ${quote(container)} is not attached, as the container ${quote(holder)} was given ${all} in the network ${quote(network)} and could not start again without it; remove that container, or disconnect it from the network`,
  );
}

/** Our routes to single addresses of the network: Docker attaches no container that has one. */
async function withdrawRoutes(
  routes: NamespaceRoutes,
  { namespace, subnets }: PlacedAttachment,
): Promise<void> {
  if (namespace === undefined) return;
  const lines = await routes.read(refOf(namespace));
  const kept = lines.filter((line) => !leadsInto(line, subnets));
  if (kept.length < lines.length) await routes.set(refOf(namespace), kept);
}

function leadsInto(line: string, subnets: readonly Prefix[]): boolean {
  const parsed = parsePrefix(line.split(' ')[0] ?? '');
  return !('reason' in parsed) && subnets.some((subnet) => contains(subnet, parsed.prefix));
}

/** By the id of the namespace. `isNew`: nothing of ours can be in it yet. */
export const routeDriver = (
  routes: NamespaceRoutes,
  isNew: (id: NamespaceId) => boolean,
): Driver<RoutesDesired, RoutesDesired> =>
  steppedDriver<RoutesDesired, RoutesDesired, { readonly set: RoutesDesired }>({
    feature: ROUTES,
    after: ['nat'],
    isSame: (one, other) => one.lines.join() === other.lines.join(),
    atStart: ({ namespace }) => (isNew(namespace.id) ? { namespace, lines: [] } : undefined),
    inspect: async (_id, _signal, { namespace }) => ({
      ...{ namespace, lines: await routes.read(refOf(namespace)) },
    }),
    steps: (desired, { namespace, lines: observed }) => {
      const lines = desired?.lines ?? [];
      return differencesOf(lines, observed).length === 0
        ? []
        : [{ action: 'set', with: { namespace, lines } }];
    },
    table: { set: async ({ namespace, lines }) => void (await routes.set(refOf(namespace), lines)) },
  });

type Forwarding = 'on' | 'off';

/** Of IPv4 on the host; it is never turned off. */
export const forwardingDriver = (host: HostFactsAccess): Driver<'on', Forwarding> =>
  steppedDriver<'on', Forwarding, { readonly turnOn: undefined }>({
    feature: 'forwarding',
    isSame: () => true,
    inspect: async () => ((await host.read()).forwards.includes(4) ? 'on' : 'off'),
    steps: (desired, observed) =>
      desired === 'on' && observed === 'off' ? [{ action: 'turnOn', with: undefined }] : [],
    table: { turnOn: () => host.forward() },
  });

/** For keys. */
export const attachmentName = ({ containerId, network }: DesiredAttachment): string =>
  `${containerId} ${network}`;

const subnetsOf = ({ subnets }: NetworkEntry): string =>
  subnets.map(({ prefix, gateway }) => `${formatPrefix(prefix)} ${gateway && formatPrefix(gateway)}`).join();

const addressesOf = ({ addresses }: DesiredAttachment): string => addresses.map(formatPrefix).join();
