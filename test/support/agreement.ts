/**
 * Whether a controller's reports are consistent: its status with the kernel, its metrics with its
 * status and its log. For real controllers and for those with fakes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACE_STATES, type NamespaceState } from '../../src/features/egress/states.ts';
import type { RunningController } from './egresstrator.ts';
import { type OurRules, ourRulesIn } from './kernel.ts';
import type { Workloads } from './workloads.ts';

/** By id (`container@start`); undefined: that namespace is gone. */
type Kernel = (id: string) => OurRules | undefined;

/** The parts of a status that are compared: the controller's own, or its API's. */
interface ReportedStatus {
  readonly namespaces: readonly {
    readonly id: string;
    readonly target: string;
    readonly state: NamespaceState;
    readonly fingerprint?: string | undefined;
  }[];
  readonly sources: readonly { readonly error?: string | undefined }[];
  readonly unsupported: readonly unknown[];
}

/** Milliseconds until all pending changes must be visible. */
const TIMEOUT = 20_000;

/** Waits until all reports are consistent; throws with the inconsistencies. */
export async function assertConsistent(controller: RunningController, workloads: Workloads): Promise<void> {
  const end = performance.now() + TIMEOUT;
  for (;;) {
    // A controller that has just started does not answer yet.
    const found = await disagreements(controller, workloads).catch((error: unknown) => [String(error)]);
    if (found.length === 0) return;
    if (performance.now() > end)
      throw new Error(`does not agree:\n${found.join('\n')}\n${controller.output}`);
    await sleep(200);
  }
}

async function disagreements(
  controller: RunningController,
  workloads: Workloads,
): Promise<readonly string[]> {
  const residents = await residentsOf(workloads);
  const kernel = new Map<string, OurRules>();
  for (const { id, pid } of residents) {
    const found = await ourRulesIn(pid).catch(() => undefined);
    if (found !== undefined) kernel.set(id, found);
  }
  const [status, metrics] = [await controller.status(), await controller.metrics()];
  const listed = new Set(status.namespaces.flatMap((one) => one.workloads));
  const unlisted = residents.filter(({ asks, name }) => asks && !listed.has(name));
  return [
    ...compareStatusWithKernel(status, (id) => kernel.get(id)),
    ...compareMetricsWithStatus(status, metrics),
    ...compareMetricsWithLog(controller, metrics),
    ...unlisted.map(({ name }) => `${name} asks for rules and is not in status`),
  ];
}

interface Resident {
  /** As status tells it. */
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly asks: boolean;
}

async function residentsOf(workloads: Workloads): Promise<readonly Resident[]> {
  const ids = (await workloads.must('ps', '--quiet', '--no-trunc')).split('\n').filter(Boolean);
  const format = '{{.Id}}@{{.State.StartedAt}} {{.Name}} {{.State.Pid}} {{json .Config.Env}}';
  // One may end meanwhile, of which the Engine tells the others all the same.
  const { stdout } = await workloads.docker('inspect', '--format', format, ...ids);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', name = '', pid = ''] = line.split(' ');
      const asks = line.includes('"EGRESSTRATOR_ENABLE=1"');
      return { id, name: name.replace(/^\//, ''), pid: Number(pid), asks };
    });
}

/** What status says of fingerprints and states that the kernel does not. */
export function compareStatusWithKernel(
  { namespaces }: Pick<ReportedStatus, 'namespaces'>,
  kernel: Kernel,
): string[] {
  return namespaces.flatMap(({ id, target, state, fingerprint }) => {
    const found = kernel(id);
    if (found === undefined) return [];
    const { fingerprint: real, allows } = found;
    const settled = state !== 'pending' && state !== 'failed';
    const grants = { protected: true, isolated: false }[String(state)];
    return [
      ...(settled && real !== fingerprint
        ? [`${target}: ${fingerprint} in status, ${real} in the kernel`]
        : []),
      ...(settled && (real === undefined) !== (state === 'cleared')
        ? [`${target}: ${state}, but ${real}`]
        : []),
      ...(grants !== undefined && allows !== grants ? [`${target}: ${state}, and allows: ${allows}`] : []),
    ];
  });
}

/** What metrics count otherwise than status. */
export function compareMetricsWithStatus(status: ReportedStatus, text: string): string[] {
  const { namespaces, unsupported, sources } = status;
  const states = NAMESPACE_STATES.map((state) => {
    const count = namespaces.filter((one) => one.state === state).length;
    return [`egresstrator_namespaces{state="${state}"}`, count] as const;
  });
  const failing = sources.filter(({ error }) => error !== undefined).length;
  const expected = [
    ...states,
    ['egresstrator_workloads_unsupported', unsupported.length],
    ['egresstrator_sources_failing', failing],
  ] as const;
  return expected.flatMap(([name, count]) => differs(text, name, count));
}

/** What metrics count otherwise than what was logged, which is complete at level debug. */
function compareMetricsWithLog({ log }: RunningController, text: string): string[] {
  const logged = (message: string) => log.filter(({ msg }) => msg === message).length;
  return [
    ...differs(text, 'egresstrator_loads_total{outcome="loaded"', logged('rules loaded')),
    ...differs(text, 'egresstrator_drift_repairs_total', logged('rules in the kernel were changed')),
  ];
}

/** `name`: all series that begin so are added up. */
function differs(text: string, name: string, expected: number): string[] {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .map((line) => Number(line.split(' ').at(-1)));
  const total = values.reduce((sum, value) => sum + value, 0);
  if (values.length > 0 && total === expected) return [];
  return [`metrics say ${name} ${values.length === 0 ? 'nothing' : total}, and it is ${expected}`];
}
