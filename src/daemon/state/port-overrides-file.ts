/**
 * Stores the ports that were opened or closed by hand, see `PortOverrides`. Writes at once, because an operator does not
 * repeat them.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { PersistedPorts, PortOverride } from '../../features/host/port-overrides.ts';
import { formatPrefix, parsePrefix } from '../../net/address.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile, type StateFolderFileOptions } from './state-folder-file.ts';

const Source = z.string().transform((text, context) => {
  const parsed = parsePrefix(text);
  if (!('reason' in parsed)) return parsed.prefix;
  context.addIssue({ code: 'custom', message: parsed.reason });
  return z.NEVER;
});

const Port = z.object({
  kind: z.enum(['open', 'close']),
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  port: z.number().int().min(1).max(65_535),
  from: z.union([z.literal('anyone'), z.array(Source)]),
  since: z.number(),
});

const Content = z.object({ ports: z.array(z.tuple([z.string(), z.array(Port)])) });

export class PortOverridesFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger, options: Partial<StateFolderFileOptions> = {}) {
    const what = 'ports opened or closed by hand';
    this.#file = new StateFolderFile(join(directory, STATE_FILES.ports), log, { what, ...options });
  }

  /** The stored ports, if they can be read. Never throws. */
  async load(): Promise<PersistedPorts | undefined> {
    const content = await this.#file.read((content) => Content.parse(content));
    return content && new Map(content.ports);
  }

  save(ports: PersistedPorts): void {
    this.#file.write(() => ({ ports: [...ports].map(([id, all]) => [id, all.map(plain)]) }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const plain = ({ from, ...port }: PortOverride) => ({
  ...port,
  from: from === 'anyone' ? from : from.map(formatPrefix),
});
