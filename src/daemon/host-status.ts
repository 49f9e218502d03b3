/**
 * The compact status of one host, as published in Consul.
 */
import { z } from 'zod';
import { type Status, unsupportedNames } from './status.ts';

/** Far below the 512 KiB that Consul accepts in a key. */
const MOST_WORKLOADS = 1_000;

export const HostStatus = z.object({
  version: z.string(),
  /** When it was written, in ms since the epoch. */
  at: z.number(),
  /** False after a normal stop: loaded rules stay, without a controller. */
  running: z.boolean(),
  /** Workloads by state. */
  states: z.record(z.string(), z.number()),
  workloads: z.array(z.object({ name: z.string(), state: z.string(), keys: z.array(z.string()) })),
  /** Last errors of namespaces and sources. */
  errors: z.array(z.string()),
});
export type HostStatus = z.infer<typeof HostStatus>;

export function hostStatusOf(status: Status, version: string, at: number, running: boolean): HostStatus {
  const { namespaces } = status;
  const states = new Map<string, number>();
  for (const { state, workloads } of namespaces)
    states.set(state, (states.get(state) ?? 0) + workloads.length);
  const unsupported = unsupportedNames(status).size;
  if (unsupported > 0) states.set('unsupported', unsupported);
  const workloads = namespaces.flatMap(({ workloads: names, state, grants }) =>
    names.map((name) => ({ name, state, keys: [...grants] })),
  );
  return {
    ...{ version, at, running },
    states: Object.fromEntries(states),
    workloads: workloads.slice(0, MOST_WORKLOADS),
    errors: errorsOf(status),
  };
}

const errorsOf = ({ namespaces, ingress = [], sources, unsupported, host }: Status): string[] =>
  [
    ...new Set([
      ...sources.flatMap(({ error }) => error ?? []),
      ...[...namespaces, ...ingress].flatMap(({ target, lastError }) =>
        lastError === undefined ? [] : `${target}: ${lastError}`,
      ),
      ...unsupported.map(({ name, problem }) => `${name}: ${problem.reason}`),
      ...(host?.lastError === undefined ? [] : [`the host: ${host.lastError}`]),
      ...(host?.problems ?? []).map(({ reason }) => `the host: ${reason}`),
    ]),
  ].slice(0, 20);

/** Undefined for anything else. */
export function parseHostStatus(text: string): HostStatus | undefined {
  try {
    return HostStatus.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
