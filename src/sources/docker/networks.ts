/**
 * Parses the Engine's JSON of networks into our `Network`. Pure.
 *
 * The format was checked on Engine 20.10 and 28.5; the list has as much about each network as its inspection.
 */
import { z } from 'zod';
import type { Network, Subnet } from '../../inventory/network.ts';
import { parseAddress, parsePrefix } from '../../net/address.ts';
import { read } from './answers.ts';

const addressRange = z.object({ Subnet: z.string().nullish(), Gateway: z.string().nullish() });

const network = z.object({
  ...{ Id: z.string().min(1), Name: z.string(), Driver: z.string().nullish() },
  Internal: z.boolean().nullish(),
  IPAM: z.object({ Config: z.array(addressRange).nullish() }).nullish(),
  Options: z.record(z.string(), z.string()).nullish(),
});

export const networkFrom = (json: unknown, what: string): Network => parsed(read(network, json, what));

export const networksFrom = (json: unknown, what: string): readonly Network[] =>
  read(z.array(network), json, what).map(parsed);

function parsed({ Id, Name, Driver, Internal, IPAM, Options }: z.infer<typeof network>): Network {
  const options = Options ?? {};
  return {
    ...{ id: Id, name: Name, driver: Driver ?? '', isInternal: Internal === true },
    subnets: (IPAM?.Config ?? []).flatMap((one) => subnetFrom(one) ?? []),
    bridge: Driver === 'bridge' ? (options[BRIDGE_NAME] ?? `br-${Id.slice(0, 12)}`) : undefined,
    options,
  };
}

/** Without this option Docker derives the name from the network's id. */
const BRIDGE_NAME = 'com.docker.network.bridge.name';

/** Some Engines write the gateway with the length of its subnet. */
function subnetFrom({ Subnet, Gateway }: z.infer<typeof addressRange>): Subnet | undefined {
  const subnet = parsePrefix(Subnet ?? '');
  if ('reason' in subnet) return undefined;
  return { prefix: subnet.prefix, gateway: parseAddress((Gateway ?? '').replace(/\/\d+$/, '')) };
}
