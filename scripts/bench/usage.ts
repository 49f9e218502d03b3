/**
 * The resources that a running process uses: processor time in nanoseconds, wake-ups, and memory.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from './measure.ts';

export interface Usage {
  /** Percent of one core, used by the process itself, and by its child processes that have ended. */
  readonly own: number;
  readonly programs: number;
  /** Times a second that an idle thread of the process began to run. */
  readonly wakeUps: number;
  /** Resident memory in MB, and its anonymous part. */
  readonly memory: number;
  readonly anonymous: number;
}

/** `eachSecond` is called once a second meanwhile. */
export async function usageOf(
  pid: number,
  seconds: number,
  eachSecond: () => Promise<void> = async () => {},
): Promise<Usage> {
  const before = countersOf(pid);
  const started = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    await eachSecond();
    await sleep(Math.max(0, started + (second + 1) * 1000 - performance.now()));
  }
  const after = countersOf(pid);
  const passed = (performance.now() - started) / 1000;
  const rate = (key: keyof Counters) => (after[key] - before[key]) / passed;
  const read = (name: string) => megabytes(pid, name);
  return {
    ...{ own: 100 * rate('own'), programs: 100 * rate('programs'), wakeUps: rate('wakeUps') },
    ...{ memory: read('VmRSS'), anonymous: read('RssAnon') },
  };
}

/** Upper limits, each in the figure's unit. */
export interface UsageTargets {
  readonly processor?: number;
  readonly wakeUps?: number;
  readonly memory?: number;
  readonly anonymous?: number;
}

export function usageFigures(
  group: string,
  when: string,
  usage: Usage,
  { processor, wakeUps, memory, anonymous }: UsageTargets = {},
): readonly Figure[] {
  const figure = (what: string, value: number, unit: string, most?: number): Figure => ({
    ...{ group, what: `${what}, ${when}`, value, unit },
    ...(most === undefined ? {} : { most }),
  });
  return [
    figure('processor', usage.own + usage.programs, '% of a core', processor),
    figure('of that the programs it ran', usage.programs, '% of a core'),
    figure('wake-ups', usage.wakeUps, '1/s', wakeUps),
    figure('memory', usage.memory, 'MB', memory),
    figure('of that its own, not files of programs', usage.anonymous, 'MB', anonymous),
  ];
}

/** Microseconds of processor time of its running threads. */
export const processorTime = (pid: number): number => countersOf(pid).own * 1e6;

/** Seconds and times since it began. */
interface Counters {
  readonly own: number;
  readonly programs: number;
  readonly wakeUps: number;
}

function countersOf(pid: number): Counters {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  const sum = (read: (folder: string) => number) => threads.map(read).reduce((all, one) => all + one, 0);
  return {
    own: sum((folder) => Number(textOf(`${folder}/schedstat`).split(' ')[0])) / 1e9,
    programs: secondsOfChildren(pid),
    wakeUps: sum((folder) => field(`${folder}/status`, 'voluntary_ctxt_switches')),
  };
}

/** User and system; the kernel counts in hundredths. */
function secondsOfChildren(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

const megabytes = (pid: number, name: string): number => field(`/proc/${pid}/status`, name) / 1000;

const field = (path: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(textOf(path))?.[1]);

const textOf = (path: string): string => readFileSync(path, 'utf8');
