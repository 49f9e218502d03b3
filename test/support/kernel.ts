/**
 * The rules in a network namespace, read with nft from outside.
 */
import { execa } from 'execa';
import { ensureCommands } from '../../lab/apt.ts';

/** The prefix of a command that runs in the network namespace of that process. */
export const inside = (pid: number): readonly string[] => ['nsenter', `--net=/proc/${pid}/ns/net`];

/** The tables, as `inet egresstrator_egress`. `prefix` leads into the namespace; none: this machine's own. */
export async function tables(prefix: readonly string[]): Promise<readonly string[]> {
  const list = await nft(prefix, ['list', 'tables']);
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^table /, ''));
}

export const ourTables = async (prefix: readonly string[]): Promise<readonly string[]> =>
  (await tables(prefix)).filter(isOurs);

/** Each owner has a table of its own: `inet egresstrator_egress`. */
const isOurs = (table: string): boolean => / egresstrator(_[a-z]+)?$/.test(table);

/** The handles of our rules. Each load gives new handles, even if the text is equal. */
export async function handles(pid: number): Promise<string> {
  const text = await nft(inside(pid), ['-a', '-t', 'list', 'table', 'inet', 'egresstrator_egress']);
  return [...text.matchAll(/# handle (\d+)/g)].map(([, handle]) => handle).join(' ');
}

export async function fingerprint(pid: number): Promise<string | undefined> {
  if ((await ourTables(inside(pid))).length === 0) return undefined;
  const text = await nft(inside(pid), ['-t', 'list', 'table', 'inet', 'egresstrator_egress']);
  return /comment "egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1];
}

/** Our rules in a namespace. */
export interface OurRules {
  readonly fingerprint: string | undefined;
  /** It allows some destination. */
  readonly allows: boolean;
}

export async function ourRulesIn(pid: number): Promise<OurRules> {
  if ((await ourTables(inside(pid))).length === 0) return { fingerprint: undefined, allows: false };
  const text = await nft(inside(pid), ['-t', 'list', 'table', 'inet', 'egresstrator_egress']);
  return {
    fingerprint: /comment "egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1],
    allows: /^\tset allowed/m.test(text),
  };
}

/** All rules of others, without counters. */
export async function foreignRules(pid: number): Promise<string> {
  const foreign = (await tables(inside(pid))).filter((table) => !isOurs(table));
  const texts = await Promise.all(
    foreign.map((table) => nft(inside(pid), ['-s', 'list', 'table', ...table.split(' ')])),
  );
  return texts.join('\n');
}

async function nft(prefix: readonly string[], args: readonly string[]): Promise<string> {
  await ensureCommands({ nft: 'nftables' });
  const [file = 'nft', ...rest] = [...prefix, 'nft', ...args];
  // Warnings about tables of iptables come on stderr.
  return (await execa(file, rest, { stdin: 'ignore' })).stdout;
}
