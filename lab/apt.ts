/**
 * Programs from Debian: those of this machine's own release are installed, those of another release
 * are unpacked into the lab's folder and never touch the machine.
 *
 * All downloads go through apt itself, so they use the apt sources of this machine and are checked as apt checks
 * them: the Release file's signature by the Debian archive keyring, each package by its SHA-256.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.ts';
import { withLock } from './lock.ts';
import { timed } from './log.ts';
import { labFolder, searchPath } from './paths.ts';
import { run } from './run.ts';

const archiveKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Installs the packages of missing commands: `{ nft: 'nftables' }`. */
export async function ensureCommands(packages: Readonly<Record<string, string>>): Promise<void> {
  await installMissing(packages, (command) => findCommand(command) === undefined);
}

/** The same for packages without a command: each is recognised by one of its files. */
export async function ensureFiles(packages: Readonly<Record<string, string>>): Promise<void> {
  await installMissing(packages, (file) => !existsSync(file));
}

/** The full path of a command. The folders of root's PATH are searched too. */
export function findCommand(name: string): string | undefined {
  const folders = searchPath().split(':');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * The folder into which packages of another suite are unpacked, with their `usr/bin` and so on.
 * It appears whole or not at all: an interrupted download leaves only a draft, which is redone.
 */
export async function unpackedPackages(suite: string, packages: readonly string[]): Promise<string> {
  const folder = join(labFolder('packages'), [suite, ...packages].join('-'));
  if (existsSync(folder)) return folder;
  return withLock(`packages-${suite}`, async () => {
    if (existsSync(folder)) return folder;
    const what = `unpacked ${packages.join(', ')} of Debian ${suite} into ${folder}`;
    return timed(what, () => fetchAndUnpack(suite, packages, folder));
  });
}

/** The address of the Debian archive that this machine's apt uses. */
export async function archiveAddress(): Promise<string> {
  requireDebian();
  const format = '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)';
  const stdout = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const address = /^Debian Debian main (\S+)$/m.exec(stdout)?.[1];
  if (address === undefined) {
    throw new LabError('apt knows no Debian archive: run `apt-get update`, or look at its sources.');
  }
  return address;
}

async function installMissing(
  packages: Readonly<Record<string, string>>,
  isMissing: (key: string) => boolean,
): Promise<void> {
  const missing = () =>
    [...new Set(Object.keys(packages).filter(isMissing))].map((key) => packages[key] ?? key);
  if (missing().length === 0) return;
  requireDebian();
  requireRoot(`install ${missing().join(', ')}`);
  await withLock('apt', async () => {
    const names = missing();
    if (names.length > 0) await timed(`installed ${names.join(', ')}`, () => install(names));
  });
  if (missing().length > 0) throw new LabError(`apt installed ${missing().join(', ')} but it is not found.`);
}

async function install(names: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-qq', ...args], { env });
  const installNames = () => apt('install', '-y', '--no-install-recommends', ...names);
  try {
    await installNames();
  } catch {
    // Missing or old package lists are the usual reason.
    await apt('update');
    await installNames();
  }
}

async function fetchAndUnpack(suite: string, packages: readonly string[], folder: string): Promise<string> {
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const apt = await privateApt(suite, join(draft, 'apt'));
  await apt('update');
  await apt('download', ...packages);
  const debs = readdirSync(join(draft, 'apt')).filter((name) => name.endsWith('.deb'));
  for (const deb of debs) await run('dpkg', ['-x', join(draft, 'apt', deb), join(draft, 'root')]);
  renameSync(join(draft, 'root'), folder);
  rmSync(draft, { recursive: true, force: true });
  return folder;
}

/** Runs apt with its own sources, lists and cache, so that the machine's apt does not use the suite. */
async function privateApt(suite: string, folder: string) {
  const address = await archiveAddress();
  await ensureFiles({ [archiveKeyring]: 'debian-archive-keyring' });
  mkdirSync(join(folder, 'state/lists/partial'), { recursive: true });
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${archiveKeyring}] ${address} ${suite} main\n`);
  const settings = [
    `Dir::Etc::SourceList=${folder}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State=${folder}/state`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
  ].flatMap((setting) => ['-o', setting]);
  return (...args: string[]) => run('apt-get', [...settings, '-qq', ...args], { cwd: folder });
}

function requireDebian(): void {
  if (findCommand('apt-get') === undefined) {
    throw new LabError('The lab installs what it needs with apt-get, which this machine does not have.');
  }
}

export function requireRoot(why: string): void {
  if (process.getuid?.() !== 0) throw new LabError(`The lab must be root to ${why}: run it with sudo.`);
}
