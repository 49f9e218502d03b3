/**
 * Each engine of the lab has a bridge and a block of addresses of its own, 10.200.0.0/16 and up, so
 * that several run side by side and beside one that uses docker0.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { LabError } from '../errors.ts';
import { withLockIn } from '../lock.ts';
import { machineRunFolder, searchPath } from '../paths.ts';
import { readOrUndefined } from '../process.ts';

export interface AddressBlock {
  readonly bridge: string;
  /** The bridge's own address; its containers get addresses from the same /17. */
  readonly bridgeAddress: string;
  /** Base of the user-defined networks, each a /24. */
  readonly pool: string;
}

const blocks = Array.from({ length: 40 }, (_, index): AddressBlock => {
  const start = `10.${200 + index}`;
  return { bridge: `egl${index}`, bridgeAddress: `${start}.0.1/17`, pool: `${start}.128.0/17` };
});

/** The block of an engine, the same at every call until it is released. `owner` is a folder's path. */
export function claimAddressBlock(owner: string): Promise<AddressBlock> {
  // Other checkouts of this machine claim from the same blocks.
  return withLockIn(machineRunFolder(), 'address-blocks', async () => {
    const routes = (await ip('route', 'show', 'table', 'all')).stdout;
    const ours = blocks.find((block) => ownerOf(block) === owner);
    const block = ours ?? blocks.find((candidate) => isFree(candidate, routes));
    if (block === undefined) throw new LabError('All address blocks of the lab are taken.');
    writeFileSync(claimFile(block), owner);
    return block;
  });
}

export async function releaseAddressBlock(owner: string): Promise<void> {
  for (const block of blocks.filter((candidate) => ownerOf(candidate) === owner)) {
    await removeBridge(block);
    rmSync(claimFile(block), { force: true });
  }
}

/** dockerd takes its default bridge as it finds it, so the lab makes it, under a name of its own. */
export async function ensureBridge({ bridge, bridgeAddress }: AddressBlock): Promise<void> {
  await ip('link', 'add', bridge, 'type', 'bridge').catch(() => {});
  await ip('address', 'replace', bridgeAddress, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
}

export async function removeBridge({ bridge }: AddressBlock): Promise<void> {
  await ip('link', 'delete', bridge).catch(() => {});
}

function isFree(block: AddressBlock, routes: string): boolean {
  const [first, second] = block.pool.split('.');
  const isRouted = new RegExp(`(^|\\s)${first}\\.${second}\\.`, 'm').test(routes);
  return ownerOf(block) === undefined && !isRouted;
}

function ownerOf(block: AddressBlock): string | undefined {
  return readOrUndefined(claimFile(block));
}

function claimFile({ bridge }: AddressBlock): string {
  return join(machineRunFolder(), `block-${bridge}`);
}

function ip(...args: string[]) {
  return execa('ip', args, { env: { PATH: searchPath() } });
}
