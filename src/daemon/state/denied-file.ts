/**
 * Stores the denied destinations, or the denied callers, on disk, so that a restart loses none: audit mode depends on them. Writes at most
 * every few seconds, because a workload determines how much there is to write.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { DeniedState } from '../denied-history.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile, type StateFolderFileOptions } from './state-folder-file.ts';

/** Milliseconds between two writes. The kernel still has what a crash loses. */
const PAUSE = 10_000;

const Flow = z.object({
  ...{ address: z.string(), protocol: z.string(), port: z.number().optional() },
  ...{ kernel: z.number(), packets: z.number() },
  ...{
    firstSeenAt: z.number(),
    lastSeenAt: z.number(),
    reportedAt: z.number().optional(),
    readAt: z.number(),
  },
});

const Counts = z.object({ packets: z.number(), spoofed: z.number(), frames: z.number() });

const Traces = z.object({
  namespace: z.string().optional(),
  ...{ destinations: z.array(Flow), addresses: z.array(Flow), networks: z.array(Flow) },
  ...{ kernel: Counts, counts: Counts, unlisted: z.number(), overlooked: z.number() },
  ...{ fullAt: z.number().optional(), reportedFullAt: z.number().optional() },
});

const Content = z.object({
  ...{ startedAt: z.number(), savedAt: z.number() },
  containers: z.array(z.tuple([z.string(), Traces])),
});

export interface DeniedFileOptions extends Partial<StateFolderFileOptions> {
  /** Of the file in the folder; each direction has one of its own. */
  readonly name?: string;
}

export class DeniedFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger, options: DeniedFileOptions = {}) {
    const { name = STATE_FILES.denied, what = 'record of denied destinations', ...rest } = options;
    this.#file = new StateFolderFile(join(directory, name), log, { what, pause: PAUSE, ...rest });
  }

  /** Never throws. */
  async load(): Promise<DeniedState | undefined> {
    return this.#file.read((content) => withUndefined(Content.parse(content)));
  }

  /** `state` is called when the file is written. */
  save(state: () => DeniedState): void {
    this.#file.write(state);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

type Content = z.infer<typeof Content>;

/** JSON leaves out what is undefined. */
const withUndefined = ({ startedAt, savedAt, containers }: Content): DeniedState => ({
  ...{ startedAt, savedAt },
  containers: containers.map(([name, { namespace, fullAt, reportedFullAt, ...traces }]) => [
    name,
    {
      ...traces,
      ...{ namespace, fullAt, reportedFullAt },
      destinations: traces.destinations.map(flowFrom),
      addresses: traces.addresses.map(flowFrom),
      networks: traces.networks.map(flowFrom),
    },
  ]),
});

const flowFrom = ({ port, reportedAt, ...flow }: z.infer<typeof Flow>) => ({ ...flow, port, reportedAt });
