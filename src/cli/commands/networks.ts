/**
 * `egresstrator networks check`: checks networks.json by itself. Exit code 1 for an error, or with --strict for any
 * problem; 2 if the file cannot be read. `egresstrator networks diff`: what another file would change.
 */
import { messageOf, UnansweredError, UsageError, UserError } from '../../common/errors.ts';
import type { Problem } from '../../common/problem.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { type CheckedNetworks, checkNetworks as check } from '../../features/networks/check.ts';
import { diffNetworks as differences } from '../../features/networks/diff.ts';
import { commandContext } from '../diagnostics/context.ts';
import { formatNetworksCheck, formatNetworksDiff } from '../format/networks.ts';
import type { FileProblem, NetworksChecked } from '../schemas/networks.ts';
import { readText } from '../text-file.ts';

export async function checkNetworks(
  file: string | undefined,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const { config, output, style } = commandContext(flags, terminal);
  const path = file ?? config.networks;
  if (path === undefined)
    throw new UsageError('name the file: egresstrator networks check networks.json, or set --networks');
  const checked = checkedText(path, await textOf(path));
  output.result(checked, (seen) => formatNetworksCheck(seen, style));
  failFor(checked, flags.strict === true);
}

export async function textOf(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (error) {
    throw new UnansweredError(messageOf(error), { cause: error });
  }
}

function checkedText(file: string, text: string): NetworksChecked {
  const checked = check(text);
  if ('reason' in checked) {
    const problem = { severity: 'error', reason: `the file ${checked.reason}` } as const;
    return { file, problems: [problem], networks: 0, ips: 0, permits: 0, forwards: 0 };
  }
  const { networks, addresses } = checked.file;
  const { permits, hostForwards, containerForwards } = checked.resolved;
  return {
    ...{ file, networks: networks.length, ips: addresses.length, permits: permits.length },
    forwards: hostForwards.length + containerForwards.length,
    problems: checked.problems.map(problemOf),
  };
}

export const problemOf = ({ severity, line, text: path, reason }: Problem): FileProblem => ({
  ...{ severity, line, path, reason },
});

export function failFor({ problems }: Pick<NetworksChecked, 'problems'>, isStrict: boolean): void {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    throw new UserError(`${errors} of the problems ${errors === 1 ? 'is an error' : 'are errors'}`);
  if (isStrict && problems.length > 0) throw new UserError('there are problems (--strict)');
}

export async function diffNetworks(file: string, flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, style } = commandContext(flags, terminal);
  if (config.networks === undefined)
    throw new UsageError(
      'name the present file: egresstrator networks diff new.json --networks networks.json',
    );
  const [before, after] = [await goodFile(config.networks), await goodFile(file)];
  output.result(differences(before, after), (seen) => formatNetworksDiff(seen, style));
}

/** Entries with an error count as absent, as for the controller. */
async function goodFile(path: string): Promise<CheckedNetworks> {
  const checked = check(await textOf(path));
  if ('reason' in checked) throw new UnansweredError(`the file ${path} ${checked.reason}`);
  return checked;
}
