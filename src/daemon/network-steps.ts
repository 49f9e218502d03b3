/**
 * Networks that Docker lacks, and containers that lack an address in one, as steps of the reconciler: each is tried until
 * it is done. Nothing is ever removed, and what Docker has otherwise stays: the next plan tells how it differs.
 */
import type { Attachment, NetworkEntry } from '../features/networks/model.ts';
import type { Network, Attachment as NetworkEnd } from '../inventory/network.ts';
import type { NetworkMaker } from '../inventory/sources.ts';
import { formatPrefix } from '../net/address.ts';
import type { Driver } from '../reconciler/driver.ts';
import { steppedDriver } from '../reconciler/steps.ts';

const NETWORKS = 'networks';
export const ATTACHMENTS = 'attachments';

type Found<T> = T | 'absent';

/** By Docker's name of the network. */
export const networkDriver = (docker: NetworkMaker): Driver<NetworkEntry, Found<Network>> =>
  steppedDriver<NetworkEntry, Found<Network>, { readonly make: NetworkEntry }>({
    feature: NETWORKS,
    isSame: (one, other) => subnetsOf(one) === subnetsOf(other),
    inspect: async (name) => (await docker.find(name)) ?? 'absent',
    steps: (desired, observed) =>
      desired !== undefined && observed === 'absent' ? [{ action: 'make', with: desired }] : [],
    table: { make: ({ name, subnets }) => docker.make(name, subnets) },
  });

/** By `attachmentName`. */
export const attachmentDriver = (docker: NetworkMaker): Driver<Attachment, Found<NetworkEnd>> =>
  steppedDriver<Attachment, Found<NetworkEnd>, { readonly attach: Attachment }>({
    feature: ATTACHMENTS,
    after: [NETWORKS],
    isSame: (one, other) => addressesOf(one) === addressesOf(other),
    inspect: async (name) => {
      const [container = '', network = ''] = name.split(' ');
      return (await docker.endOf(container, network)) ?? 'absent';
    },
    steps: (desired, observed) =>
      desired !== undefined && observed === 'absent' ? [{ action: 'attach', with: desired }] : [],
    table: {
      attach: ({ containerId, network, addresses }) => docker.attach(containerId, network, addresses),
    },
  });

/** Names of networks have no spaces. */
export const attachmentName = ({ containerId, network }: Attachment): string => `${containerId} ${network}`;

const subnetsOf = ({ subnets }: NetworkEntry): string =>
  subnets.map(({ prefix, gateway }) => `${formatPrefix(prefix)} ${gateway && formatPrefix(gateway)}`).join();

const addressesOf = ({ addresses }: Attachment): string => addresses.map(formatPrefix).join();
