/**
 * Reads the gate's records of a container's start: if the gate loaded the desired rules, the namespace need not be
 * inspected.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../inventory/container.ts';
import { recordFolder } from './names.ts';

export interface GateRecord {
  /** `undefined` for `existing-namespace`. */
  readonly fingerprint: string | undefined;
  /** The resolvers in the loaded rules. */
  readonly resolvers: readonly string[];
  /**
   * `existing-namespace`: nothing was loaded, because the container joined a namespace that already had rules.
   */
  readonly kind: 'prepared' | 'lockdown' | 'existing-namespace';
  /** False if it has no CAP_NET_RAW, for example because the gate removed it. */
  readonly hasRawSockets: boolean;
  /** Why it is lockdown. */
  readonly reason: string | undefined;
}

/** Of which rules. */
type Owner = 'egress' | 'ingress';

/** What the name of a record ends with. */
const ENDINGS: Readonly<Record<Owner, string>> = { egress: '', ingress: '.ingress' };

const KINDS = ['prepared', 'lockdown', 'existing-namespace'] as const;

/** The most milliseconds between the gate's record and the start time that the Engine reports. */
const TOLERANCE = 60_000;

export class GateRecords {
  readonly #folder: string;

  constructor(runDir: string) {
    this.#folder = recordFolder(runDir);
  }

  /**
   * The record of this start; undefined if there is none or it cannot be read. Pids are reused, so a record that is
   * much older than the start belongs to a previous start.
   */
  async read(
    { id, pid, startedAt }: Pick<Container, 'id' | 'pid' | 'startedAt'>,
    owner: Owner = 'egress',
  ): Promise<GateRecord | undefined> {
    if (!/^\w[\w.-]*$/.test(id)) return undefined;
    const found = await readRecord(join(this.#folder, `${id}${ENDINGS[owner]}`)).catch(() => undefined);
    if (found === undefined) return undefined;
    const apart = Math.abs(found.writtenAt - Date.parse(startedAt));
    return apart <= TOLERANCE ? parseRecord(found.text, pid, owner) : undefined;
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

/** Also undefined for an unfinished record: the gate writes "end" last. */
export function parseRecord(text: string, pid: number, owner: Owner = 'egress'): GateRecord | undefined {
  if (!text.endsWith('\nend\n')) return undefined;
  const fields = new Map(
    text.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.replace(/^\S* ?/, '')]),
  );
  const fingerprint = /^[0-9a-f]+$/.exec(fields.get('fingerprint') ?? '')?.[0];
  const kind = KINDS.find((one) => one === fields.get('kind'));
  if (fields.get('owner') !== owner || fields.get('pid') !== String(pid) || kind === undefined)
    return undefined;
  if ((fingerprint === undefined) !== (kind === 'existing-namespace')) return undefined;
  const resolvers = (fields.get('resolvers') ?? '').split(/[ ,]+/).filter((address) => address !== '');
  const hasRawSockets = fields.get('raw') !== 'none';
  return { fingerprint, kind, resolvers, hasRawSockets, reason: fields.get('reason') };
}
