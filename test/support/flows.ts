/** Flows that a probe keeps going: whether they go on, and whether they have ended. */
import { waitFor } from '../../lab/wait.ts';
import type { Workload } from './workloads.ts';

/** Waits for further echoes of a flow: on a busy machine, a moment of silence says nothing. */
export async function goesOn({ probe }: Workload, flow: number): Promise<true> {
  const { echoes } = await probe.flow(flow);
  return waitFor(
    async () => {
      const now = await probe.flow(flow);
      if (now.error !== undefined) throw new Error(`the flow has ended: ${now.error}`);
      return now.echoes >= echoes + FURTHER || undefined;
    },
    { what: 'further echoes' },
  );
}

/** More than can be on their way. */
const FURTHER = 10;

/** Waits until a flow is ended, by an error. */
export const ends = ({ probe }: Workload, flow: number): Promise<true> =>
  waitFor(async () => (await probe.flow(flow)).error !== undefined || undefined, {
    what: 'the end of the flow',
  });
