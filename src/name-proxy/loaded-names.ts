/**
 * Reads from the kernel what an earlier run of the program has left in a namespace, where it is in no file: the secret
 * and the ports of its text, and the granted addresses with the time that is left of each.
 */
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import { openNamespace } from '../dataplane/process-namespace.ts';
import { runProgram } from '../dataplane/run-program.ts';
import { FORGOTTEN, type HeldGrant } from '../features/names/grant.ts';
import { type ListedElement, parseElements, parseTable } from './names-listing.ts';
import type { AdoptedNames } from './namespace-names.ts';

export interface LoadedNames extends AdoptedNames {
  readonly port: number;
  readonly dockerPort: number;
}

const TABLE = ['inet', 'egresstrator_egress'];
const LIMIT = 5_000;
/** Bytes of a listing: 100,000 destinations take a tenth of it. */
const MOST_OUTPUT = 64 * 1024 * 1024;
/** Milliseconds that an element may stay for longer than a listing says. */
const ROUNDED = 1_000;

/** Undefined if there are no rules by name, or they cannot be read. Never fails. `now`: the clock of the grants. */
export async function readLoadedNames(
  namespace: NamespaceRef,
  now: () => number,
): Promise<LoadedNames | undefined> {
  const opened = openNamespace(namespace);
  if (opened.kind !== 'open') return undefined;
  try {
    return await readIn(`/proc/${process.pid}/fd/${opened.file.fd}`, now);
  } finally {
    opened.file.close();
  }
}

async function readIn(path: string, now: () => number): Promise<LoadedNames | undefined> {
  const before = now();
  const listing = await list(path);
  const table = parseTable(listing);
  if (table === undefined) return undefined;
  const classes = new Map([...table.numbers].map(([portClass, number]) => [number, portClass]));
  const grants = parseElements(listing).flatMap((one) => {
    const portClass = classes.get(one.number);
    return portClass === undefined ? [] : [heldBy(one, portClass, before, now())];
  });
  return { ...table, grants };
}

const heldBy = (
  { address, left }: ListedElement,
  portClass: string,
  before: number,
  after: number,
): HeldGrant => ({
  ...{ portClass, address, name: FORGOTTEN, needed: before + left, until: before + left },
  atMost: after + left + ROUNDED,
});

/** All of one moment; empty if there is no table. */
async function list(path: string): Promise<string> {
  const program = { file: 'nsenter', args: [`--net=${path}`, 'nft', 'list', 'table', ...TABLE] };
  const { exitCode, stdout } = await runProgram({ ...program, limit: LIMIT, mostOutput: MOST_OUTPUT });
  return exitCode === 0 ? stdout : '';
}
