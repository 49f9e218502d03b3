/** The consul program: the machine's own, else that of Debian 11, which runs everywhere. */
import { join } from 'node:path';
import { findCommand, unpackedPackages } from '../apt.ts';
import { run } from '../run.ts';

export interface ConsulProgram {
  readonly path: string;
  /** `[1, 8]`: some settings have other names in later versions. */
  readonly version: readonly [major: number, minor: number];
}

export async function consulProgram(): Promise<ConsulProgram> {
  const path =
    findCommand('consul') ?? join(await unpackedPackages('bullseye', ['consul']), 'usr/bin/consul');
  const output = await run(path, ['version']);
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(output) ?? [];
  return { path, version: [Number(major), Number(minor)] };
}

export function isAtLeast({ version }: ConsulProgram, major: number, minor: number): boolean {
  return version[0] > major || (version[0] === major && version[1] >= minor);
}
