/**
 * Reads the host's rules that a controller has left in the state folder, see `HostFiles`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE_FILES } from './file-names.ts';

export interface HostText {
  readonly fingerprint: string;
  readonly text: string;
  /** False for the text after a reboot, which opens and forwards nothing. */
  readonly isOfThisBoot: boolean;
}

/** Undefined if there is none that may be loaded under this boot. */
export async function readHostText(
  directory: string,
  bootId: string | undefined,
): Promise<HostText | undefined> {
  const read = (name: string) => readFile(join(directory, name), 'utf8').catch(() => '');
  const last = await read(STATE_FILES.hostRules);
  const isOfThisBoot = bootId !== undefined && last.startsWith(`# boot ${bootId}\n`);
  const text = isOfThisBoot ? last : await read(STATE_FILES.hostBootRules);
  const fingerprint = /"egresstrator v1 ([0-9a-f]{32})"/.exec(text)?.[1];
  if (fingerprint === undefined || !text.endsWith('# end\n')) return undefined;
  // The loader sets the variable itself.
  return { fingerprint, text: text.replace('\ndefine settled = 0\n', '\n'), isOfThisBoot };
}
