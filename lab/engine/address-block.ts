/**
 * Each engine of the lab has its own block of addresses, from 10.200.0.0/16 on, so that several
 * can run side by side and this machine can reach the containers of each.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../errors.ts';
import { withMachineLock } from '../lock.ts';
import { machineRunFolder } from '../paths.ts';
import { readOrUndefined } from '../process.ts';
import { run } from '../run.ts';

export interface AddressBlock {
  /** Names the block's interfaces and namespace on this machine. */
  readonly name: string;
  readonly all: string;
  /** The default bridge's own address and prefix. */
  readonly bridge: string;
  /** The two ends of the link between this machine and an engine in a namespace of its own. */
  readonly machine: string;
  readonly engine: string;
  /** Base of the user-defined networks, each a /24. */
  readonly pool: string;
}

const memory = 'address-block';

const blocks = Array.from({ length: 40 }, (_, index): AddressBlock => {
  const start = `10.${200 + index}`;
  return {
    name: `egl${index}`,
    all: `${start}.0.0/16`,
    bridge: `${start}.0.1/18`,
    machine: `${start}.64.1`,
    engine: `${start}.64.2`,
    pool: `${start}.128.0/17`,
  };
});

/**
 * The block of the engine in the folder `owner`. It is the same at every call, and if possible
 * also after a restart of the machine, because the engine's stored networks are in it.
 */
export function claimAddressBlock(owner: string): Promise<AddressBlock> {
  // Other checkouts on this machine use the same blocks.
  return withMachineLock('address-blocks', async () => {
    const ours = claimedBlock(owner);
    if (ours !== undefined) return ours;
    const routes = await run('ip', ['route', 'show', 'table', 'all']);
    const remembered = readOrUndefined(join(owner, memory));
    const free = blocks.filter((candidate) => isFree(candidate, routes));
    const block = free.find(({ name }) => name === remembered) ?? free[0];
    if (block === undefined) throw new LabError('All address blocks of the lab are taken.');
    writeFileSync(claimFile(block), owner);
    writeFileSync(join(owner, memory), block.name);
    return block;
  });
}

export function claimedBlock(owner: string): AddressBlock | undefined {
  return blocks.find((block) => ownerOf(block) === owner);
}

export function releaseAddressBlock(block: AddressBlock): void {
  rmSync(claimFile(block), { force: true });
}

function isFree(block: AddressBlock, routes: string): boolean {
  const [first, second] = block.all.split('.');
  const isRouted = new RegExp(`(^|\\s)${first}\\.${second}\\.`, 'm').test(routes);
  return ownerOf(block) === undefined && !isRouted;
}

function ownerOf(block: AddressBlock): string | undefined {
  return readOrUndefined(claimFile(block));
}

function claimFile({ name }: AddressBlock): string {
  return join(machineRunFolder(), `block-${name}`);
}
