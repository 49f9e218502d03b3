/** What the lab writes down about an engine, so that a later process finds and recognises it. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, type ProcessIdentity, readOrUndefined } from '../process.ts';

export interface EngineRecord {
  readonly process: ProcessIdentity;
  /** The command line it was started with: another one means a restart. */
  readonly command: readonly string[];
}

export function writeRecord(file: string, record: EngineRecord): void {
  writeFileSync(`${file}.draft`, JSON.stringify(record));
  renameSync(`${file}.draft`, file);
}

/** The record of a process that still lives. */
export function readRecord(file: string): EngineRecord | undefined {
  const text = readOrUndefined(file);
  if (text === undefined) return undefined;
  const record: EngineRecord = JSON.parse(text);
  return isAlive(record.process) ? record : undefined;
}

export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}
