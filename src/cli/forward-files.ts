/**
 * `forwards create` and `delete` with --write-files: replaces the files of a container, and brings the kernel's rules
 * along, without a restart of the service that loads the files.
 */
import { UsageError, UserError } from '../common/errors.ts';
import type { Flags } from '../config/config.ts';
import { runProgram } from '../dataplane/run-program.ts';
import { bridgesOf } from '../features/host/bridges.ts';
import { iptablesRules, type RuleFile, restoreText } from '../features/host/iptables-rules.ts';
import type { Forward } from '../features/host/model.ts';
import type { ContainerId } from '../inventory/container.ts';
import type { Networks } from '../inventory/network.ts';
import type { Family } from '../net/address.ts';
import type { Output } from './output.ts';
import {
  type FoundFile,
  type RuleFileOwner,
  removeRuleFile,
  ruleFiles,
  writeRuleFile,
} from './rule-files.ts';

export interface Wanted {
  readonly forwards: readonly Forward[];
  readonly networks: Networks;
  /** The ids of all running containers: files of others are removed. */
  readonly running: ReadonlySet<ContainerId>;
}

export async function replaceRuleFiles(
  container: RuleFileOwner,
  { forwards, networks, running }: Wanted,
  flags: Flags,
  output: Output,
): Promise<void> {
  const bridges = bridgesOf(networks, { guarded: 'none', masquerades: false });
  const chain = chainOf(flags);
  for (const { family, folder } of foldersOf(flags)) {
    const rules = iptablesRules(forwards, bridges, { family, chain });
    const isStale = ({ name, owner }: FoundFile) =>
      name === container.name || (owner !== undefined && !running.has(owner.id));
    await removeFiles((await ruleFiles(folder)).filter(isStale), family, output);
    await append(rules, flags, output);
    const path = await writeRuleFile(folder, container, rules);
    if (path !== undefined) output.note(`wrote ${path}`);
  }
}

/** The container may be gone, so only the files tell about it. */
export async function deleteRuleFiles(name: string, flags: Flags, output: Output): Promise<void> {
  const isMeant = (file: FoundFile) =>
    file.name === name || (name.length >= SHORT_ID && file.owner?.id.startsWith(name) === true);
  for (const { family, folder } of foldersOf({ ...flags, ipv6: true })) {
    await removeFiles((await ruleFiles(folder)).filter(isMeant), family, output);
  }
}

/** The length of an id as Docker prints it. */
const SHORT_ID = 12;

function foldersOf({ iptablesDir, ip6tablesDir, ipv6 }: Flags) {
  const both: readonly { readonly family: Family; readonly folder: string }[] = [
    { family: 4, folder: String(iptablesDir) },
    { family: 6, folder: String(ip6tablesDir) },
  ];
  return both.filter(({ family }) => family === 4 || ipv6 === true);
}

function chainOf({ chain }: Flags): string {
  if (typeof chain === 'string' && /^[\w-]{1,28}$/.test(chain)) return chain;
  throw new UsageError('--chain: expected the name of a chain, as DOCKER_CONTAINERS');
}

async function append(rules: RuleFile, { chain, debug }: Flags, output: Output): Promise<void> {
  const text = restoreText(rules, 'A');
  if (text === undefined) return;
  if (debug === true) for (const line of text.trimEnd().split('\n')) output.note(line);
  const { isDone, reason } = await restore(rules.family, text);
  if (isDone) return;
  throw new UserError(
    `${toolOf(rules.family)}-restore did not load the rules, so nothing was written: ${reason}; the chain ${String(chain)} of nat must exist`,
  );
}

/** Rules that are not loaded need no removal: then each is removed by itself. */
async function removeFiles(files: readonly FoundFile[], family: Family, output: Output): Promise<void> {
  for (const file of files) {
    const text = restoreText(file.rules, 'D');
    if (text !== undefined && !(await restore(family, text)).isDone) await removeEach(file, family);
    await removeRuleFile(file);
    output.note(`removed ${file.path}`);
  }
}

async function removeEach({ rules: { nat, filter } }: FoundFile, family: Family): Promise<void> {
  const all = [...nat.map((rule) => ['nat', rule]), ...filter.map((rule) => ['filter', rule])];
  for (const [table = '', rule = ''] of all) {
    await run(toolOf(family), ['--wait', '--table', table, '--delete', ...rule.split(' ')]);
  }
}

const toolOf = (family: Family): string => (family === 4 ? 'iptables' : 'ip6tables');

async function restore(family: Family, text: string) {
  const { exitCode, stderr, failure } = await run(`${toolOf(family)}-restore`, ['--wait', '--noflush'], text);
  const [first = ''] = stderr.trim().split('\n');
  return { isDone: exitCode === 0, reason: failure ?? first };
}

const run = (file: string, args: readonly string[], stdin?: string) =>
  runProgram({ file, args, stdin, limit: 30_000, mostOutput: 1_000_000 });
