/**
 * The gate's files on the host: their expected and present content, and a record of the changes to daemon.json.
 */
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { assetPath } from '../common/assets.ts';
import { loadTemplate } from '../features/egress/included-templates.ts';
import { render } from '../features/egress/render.ts';
import { loadIngressTemplate, renderIngress } from '../features/ingress/render.ts';
import { type GateSettings, onHost } from './layout.ts';

export interface GateFile {
  readonly name: string;
  readonly content: string;
  readonly mode: number;
}

/** The settings in gate.conf. Paths are those on the host. */
export interface GateConf {
  readonly runtime: string;
  readonly runDir: string;
  /** Docker's folder of containers. */
  readonly containers: string;
}

/** The changes to daemon.json, so that they can be undone. */
const InstallState = z.object({
  config: z.string(),
  /** The text before; null: there was no file. */
  before: z.string().nullable(),
  /** The text that was written. */
  after: z.string(),
  previousDefault: z.string().nullable(),
});
export type InstallState = z.infer<typeof InstallState>;

const INSTALL_STATE = 'installed.json';

/** In `gate/`, and beside the runtime where it is installed. */
export const AWK_PROGRAMS = ['files.awk', 'json.awk', 'request.awk', 'resolvers.awk', 'process.awk'] as const;

export async function programFiles(): Promise<readonly GateFile[]> {
  const read = (path: string) => readFile(assetPath(path), 'utf8');
  const readers = AWK_PROGRAMS.map(async (name) => ({
    name,
    content: await read(`gate/${name}`),
    mode: 0o644,
  }));
  return [
    ...(await Promise.all(readers)),
    { name: 'netns', content: await read('dataplane/netns'), mode: 0o755 },
    { name: 'lockdown.nft', content: lockdownText(), mode: 0o644 },
    { name: 'closed.nft', content: closedText(), mode: 0o644 },
    // Last, as it calls the others, and containers start meanwhile.
    { name: 'runtime', content: await read('gate/runtime'), mode: 0o755 },
  ];
}

/** Allows only loopback. The last line tells the loader that the text is complete. */
export function lockdownText(): string {
  const nothing = { layers: [] };
  const input = {
    allowed: nothing,
    ungranted: nothing,
    mode: 'enforce',
    dns: 'none',
    resolvers: [],
  } as const;
  const { text } = render(loadTemplate('lockdown'), input);
  return `${text}${text.endsWith('\n') ? '' : '\n'}# end\n`;
}

/** Lets nobody in. */
const closedText = (): string => renderIngress(loadIngressTemplate(), { layers: [] }, 'enforce').text;

export const confFile = ({ runtime, runDir, containers }: GateConf): GateFile => ({
  name: 'gate.conf',
  content: [
    '# Written by `egresstrator gate install`. To change it, run that again.',
    `runtime=${quoted(runtime)}`,
    `run_dir=${quoted(runDir)}`,
    `containers=${quoted(containers)}`,
    '',
  ].join('\n'),
  mode: 0o644,
});

/** The values of gate.conf as `confFile` writes them. */
export function parseConf(text: string): Partial<Record<string, string>> {
  const entries = text.split('\n').map((line) => /^(\w+)='(.*)'$/.exec(line));
  return Object.fromEntries(
    entries.flatMap((match) => (match ? [[match[1], match[2]?.replaceAll(`'\\''`, "'")]] : [])),
  );
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The names of those files that are missing or hold something else. */
export async function outdated(
  settings: GateSettings,
  files: readonly GateFile[],
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, content } of files) {
    if ((await readInstalled(settings, name)) !== content) names.push(name);
  }
  return names;
}

/** Replaces each file atomically, because containers start meanwhile. */
export async function writeFiles(settings: GateSettings, files: readonly GateFile[]): Promise<void> {
  await mkdir(onHost(settings, settings.libDir), { recursive: true, mode: 0o755 });
  for (const { name, content, mode } of files) {
    const path = pathOf(settings, name);
    await writeFileAtomic(path, content, { mode });
    await chmod(path, mode);
  }
}

export const removeFiles = (settings: GateSettings): Promise<void> =>
  rm(onHost(settings, settings.libDir), { recursive: true, force: true });

/** Undefined if there is none. */
export async function readInstalled(settings: GateSettings, name: string): Promise<string | undefined> {
  return readFile(pathOf(settings, name), 'utf8').catch(() => undefined);
}

export async function readInstallState(settings: GateSettings): Promise<InstallState | undefined> {
  const text = await readInstalled(settings, INSTALL_STATE);
  if (text === undefined) return undefined;
  try {
    return InstallState.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** daemon.json may hold secrets of log drivers, so its copy is for root alone. */
export const writeInstallState = (settings: GateSettings, state: InstallState): Promise<void> =>
  writeFiles(settings, [
    { name: INSTALL_STATE, content: `${JSON.stringify(state, null, 2)}\n`, mode: 0o600 },
  ]);

const pathOf = (settings: GateSettings, name: string): string =>
  onHost(settings, join(settings.libDir, name));
