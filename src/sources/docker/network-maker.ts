/**
 * Makes networks of the Engine, and attaches containers to them with static addresses.
 */
import { type Attachment, isAttached, type Network, type Subnet } from '../../inventory/network.ts';
import type { NetworkMaker } from '../../inventory/sources.ts';
import { comparePrefixes, formatPrefix, type Prefix } from '../../net/address.ts';
import type { Engine } from './engine.ts';
import { isHttpError } from './errors.ts';
import { containerFrom } from './inspect.ts';

export class EngineNetworkMaker implements NetworkMaker {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** By the list: a request by name would also find a network whose id begins so. */
  async find(name: string): Promise<Network | undefined> {
    return (await this.#engine.networks()).find((one) => one.name === name);
  }

  make(name: string, subnets: readonly Subnet[]): Promise<void> {
    return this.#engine.createNetwork(creationBody(name, subnets));
  }

  async hasContainer(name: string): Promise<boolean> {
    // The Engine also finds a container whose id begins so.
    try {
      return containerFrom(await this.#engine.inspect(name)).name === name;
    } catch (error) {
      if (isHttpError(error, 404)) return false;
      throw error;
    }
  }

  async staticHolderOf(container: string, network: string, addresses: readonly Prefix[]) {
    const [found, all] = await Promise.all([this.find(network), this.#engine.all()]);
    const holder = all.find(
      ({ id, staticAddresses = [] }) =>
        id !== container &&
        staticAddresses.some(
          (one) =>
            one.network === found?.id &&
            addresses.some((address) => comparePrefixes(address, one.address) === 0),
        ),
    );
    return holder?.names[0]?.replace(/^\//, '');
  }

  async endOf(container: string, network: string): Promise<Attachment | undefined> {
    const { networks } = containerFrom(await this.#engine.inspect(container));
    const end = networks.find(({ name }) => name === network);
    return end !== undefined && isAttached(end, await this.#engine.network(end.id)) ? end : undefined;
  }

  attach(container: string, network: string, addresses: readonly Prefix[]): Promise<void> {
    return this.#engine.connectNetwork(network, attachmentBody(container, addresses));
  }
}

/** Engines before 25 make a second network of an existing name without `CheckDuplicate`. */
export const creationBody = (name: string, subnets: readonly Subnet[]): object => ({
  ...{ Name: name, Driver: 'bridge', CheckDuplicate: true },
  EnableIPv6: subnets.some(({ prefix }) => prefix.family === 6),
  IPAM: {
    Driver: 'default',
    Config: subnets.map(({ prefix, gateway }) => ({
      Subnet: formatPrefix(prefix),
      ...(gateway === undefined ? {} : { Gateway: formatPrefix(gateway) }),
    })),
  },
});

export const attachmentBody = (container: string, addresses: readonly Prefix[]): object => {
  const of = (family: number) => addresses.find((one) => one.family === family);
  const [ipv4, ipv6] = [of(4), of(6)];
  return {
    Container: container,
    EndpointConfig: {
      IPAMConfig: {
        ...(ipv4 === undefined ? {} : { IPv4Address: formatPrefix(ipv4) }),
        ...(ipv6 === undefined ? {} : { IPv6Address: formatPrefix(ipv6) }),
      },
    },
  };
};
