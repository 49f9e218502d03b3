/**
 * Files with the forwards of one container each, in the folders that a service of the host loads with iptables-restore.
 * Each names its container in its first line, so that files of containers that are gone are found.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type RuleFile, restoreText, rulesIn } from '../features/host/iptables-rules.ts';

/** As `docker-iptables.py` named them. */
const BEGINNING = '11-docker-container_';

const HEAD = /^# egresstrator: ([\w.-]+) ([0-9a-f]{64})\n/;

export interface RuleFileOwner {
  readonly name: string;
  readonly id: string;
}

export interface FoundFile {
  readonly path: string;
  readonly rules: Pick<RuleFile, 'nat' | 'filter'>;
  /** Undefined in a file that another program has written. */
  readonly owner: RuleFileOwner | undefined;
  /** The end of its name. */
  readonly name: string;
}

/** Those of all containers; none where the folder does not exist. */
export async function ruleFiles(folder: string): Promise<readonly FoundFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return Promise.all(
    names
      .filter((name) => name.startsWith(BEGINNING))
      .map(async (name) => {
        const path = join(folder, name);
        const text = await readFile(path, 'utf8');
        const [, owner, id] = HEAD.exec(text) ?? [];
        return {
          ...{ path, rules: rulesIn(text), name: name.slice(BEGINNING.length) },
          owner: owner === undefined || id === undefined ? undefined : { name: owner, id },
        };
      }),
  );
}

export async function writeRuleFile(
  folder: string,
  { name, id }: RuleFileOwner,
  rules: RuleFile,
): Promise<string | undefined> {
  const text = restoreText(rules, 'A');
  if (text === undefined) return undefined;
  const path = join(folder, `${BEGINNING}${name}`);
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(path, `# egresstrator: ${name} ${id}\n${text}`, { mode: 0o644 });
  return path;
}

export const removeRuleFile = ({ path }: FoundFile): Promise<void> => rm(path, { force: true });

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
