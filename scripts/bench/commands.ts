/**
 * The commands that answer questions, as whole processes from start to end, on a host with 200 workloads
 * and 10,000 rules: the built program, which users run, and its source. The floor is the time in which
 * the program prints its version.
 */
import { execa } from 'execa';
import { type LargeHost, openLargeHost } from '../../test/support/large-host.ts';
import { type Figure, medianOf } from './measure.ts';

/** Milliseconds that a command may take. */
const ALLOWED = 1000;

const PROGRAMS = { 'dist/cli/main.js': 'commands', 'src/cli/main.ts': 'commands from source' } as const;

const commandsFor = ({ edited }: LargeHost): Readonly<Record<string, readonly string[]>> => ({
  status: ['status'],
  'status of one': ['status', 'w7'],
  denied: ['denied', 'w7'],
  'denied of all': ['denied'],
  explain: ['explain', 'w7', '10.1.2.3', 'tcp/22'],
  'explain of a service': ['explain', 'w7', 'service-7'],
  suggest: ['suggest', 'w7'],
  'suggest of all': ['suggest'],
  lint: ['lint'],
  'lint of a file': ['lint', '--file', edited],
  diff: ['diff', 'shared', '--file', edited],
});

/** `times`: runs of which the median counts. */
export async function benchCommands(times: number): Promise<readonly Figure[]> {
  await using host = await openLargeHost();
  const figures: Figure[] = [];
  for (const [program, group] of Object.entries(PROGRAMS)) {
    const floor = await medianOf(times, () => run(program, ['--version']));
    for (const [what, args] of Object.entries(commandsFor(host))) {
      const value = await medianOf(times, () => run(program, [...args, '--socket', host.socket]));
      const base = { group, what, value, unit: 'ms', floor, floorName: 'ms --version' };
      figures.push({ ...base, most: ALLOWED });
    }
  }
  return figures;
}

/** Accepts the exit code for findings; any other failure is an error. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await execa(process.execPath, [program, ...args], {
    ...{ stdin: 'ignore', reject: false, extendEnv: false },
  });
  if (stdout === '') throw new Error(`${args.join(' ')} gave no answer: ${stderr}`);
}
