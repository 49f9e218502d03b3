/**
 * What the gate loaded at a container's start, read from the record it left: where that is what should be
 * loaded, nobody has to look into the namespace.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../inventory/container.ts';
import { recordFolder } from './names.ts';

export interface GateRecord {
  /** `undefined` for `existing-namespace`. */
  readonly fingerprint: string | undefined;
  /** That the text was loaded with. */
  readonly resolvers: readonly string[];
  /** `existing-namespace`: nothing was loaded, as the namespace of others held rules. */
  readonly kind: 'prepared' | 'lockdown' | 'existing-namespace';
  /** False if it has no CAP_NET_RAW, for one because the gate took it. */
  readonly hasRawSockets: boolean;
  /** Why it is lockdown. */
  readonly reason: string | undefined;
}

const KINDS = ['prepared', 'lockdown', 'existing-namespace'] as const;

/** Milliseconds between the gate's work and the moment that the Engine calls the start. */
const TOLERANCE = 60_000;

export class GateRecords {
  readonly #folder: string;

  constructor(runDir: string) {
    this.#folder = recordFolder(runDir);
  }

  /**
   * The record of exactly this start; `undefined` where there is none, or none that can be read. Pids are
   * reused, so a record that is much older than the start is one of a previous start.
   */
  async read({
    id,
    pid,
    startedAt,
  }: Pick<Container, 'id' | 'pid' | 'startedAt'>): Promise<GateRecord | undefined> {
    if (!/^\w[\w.-]*$/.test(id)) return undefined;
    const found = await readRecord(join(this.#folder, id)).catch(() => undefined);
    if (found === undefined) return undefined;
    const apart = Math.abs(found.writtenAt - Date.parse(startedAt));
    return apart <= TOLERANCE ? parseRecord(found.text, pid) : undefined;
  }
}

async function readRecord(path: string): Promise<{ readonly text: string; readonly writtenAt: number }> {
  const file = await open(path, 'r');
  try {
    const { mtimeMs } = await file.stat();
    return { text: await file.readFile('utf8'), writtenAt: mtimeMs };
  } finally {
    await file.close();
  }
}

/** `undefined` also for a record that is being written: the gate writes its last line last. */
export function parseRecord(text: string, pid: number): GateRecord | undefined {
  if (!text.endsWith('\nend\n')) return undefined;
  const fields = new Map(
    text.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.replace(/^\S* ?/, '')]),
  );
  const fingerprint = /^[0-9a-f]+$/.exec(fields.get('fingerprint') ?? '')?.[0];
  const kind = KINDS.find((one) => one === fields.get('kind'));
  if (fields.get('owner') !== 'egress' || fields.get('pid') !== String(pid) || kind === undefined)
    return undefined;
  if ((fingerprint === undefined) !== (kind === 'existing-namespace')) return undefined;
  const resolvers = (fields.get('resolvers') ?? '').split(/[ ,]+/).filter((address) => address !== '');
  const hasRawSockets = fields.get('raw') !== 'none';
  return { fingerprint, kind, resolvers, hasRawSockets, reason: fields.get('reason') };
}
