/** Root file systems of Debian bookworm, made by mmdebstrap from the apt sources of this machine. */
import { existsSync, readFileSync } from 'node:fs';
import { archiveAddress, ensureCommands } from '../apt.ts';
import { timed } from '../log.ts';
import { run } from '../run.ts';

export interface DebianSystem {
  readonly packages: readonly string[];
  /** Shell commands, or mmdebstrap's own (`upload`, `copy-in`, …); the root folder is `$1`. */
  readonly hooks?: readonly string[];
}

const suite = 'bookworm';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Each Engine of a test imports these systems, in a time that grows with their size: nobody reads these files. They are
 * removed in the end, as a filter of what dpkg unpacks costs half of the time: it is a Python program for each package.
 */
const removeUnread = `rm -rf ${['doc', 'info', 'locale', 'man'].map((folder) => `"$1"/usr/share/${folder}/*`).join(' ')}`;

/** With it nothing has to be moved below /usr, by a program that needs 50 MB of Perl. */
const mergedUsr = '/usr/share/mmdebstrap/hooks/merged-usr';

/** The certificates that this machine trusts, for downloads inside. */
export const certificates = '/etc/ssl/certs/ca-certificates.crt';

export async function makeDebianTar(file: string, { packages, hooks = [] }: DebianSystem): Promise<void> {
  await ensureCommands({ mmdebstrap: 'mmdebstrap' });
  const isMerged = existsSync(mergedUsr);
  const included = [...packages, ...(isMerged ? ['usr-is-merged'] : [])];
  const args = [
    '--variant=minbase',
    '--format=tar',
    `--keyring=${keyring}`,
    `--include=${included.join(',')}`,
    ...(isMerged ? [`--hook-dir=${mergedUsr}`] : []),
    ...[removeUnread, ...hooks].map((hook) => `--customize-hook=${hook}`),
    ...[suite, file, ...(await sources())],
  ];
  await timed(`made a Debian ${suite} with ${packages.join(', ')}`, () => run('mmdebstrap', args));
}

/** What makes downloads work inside as they do on this machine. */
export async function machineHooks(): Promise<readonly string[]> {
  const upload = existsSync(certificates) ? [`upload ${certificates} ${certificates}`] : [];
  return [...upload, ...(await freshnessHooks())];
}

export function certificatesText(): string {
  return existsSync(certificates) ? readFileSync(certificates, 'utf8') : '';
}

/** apt may warn that its index is out of date; the settings of this machine apply inside too. */
async function freshnessHooks(): Promise<readonly string[]> {
  const settings = await run('apt-config', ['dump', '--format', '%f "%v";%n', 'Acquire::Check-Valid-Until']);
  return settings === '' ? [] : [`echo '${settings}' >"$1/etc/apt/apt.conf.d/90egresstrator-lab"`];
}

/** Those of this machine's sources that are of the same release, else its archive alone. */
async function sources(): Promise<readonly string[]> {
  const format = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(ORIGIN)|$(CODENAME)';
  const stdout = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const lines = stdout.split('\n').map((line) => line.split('|'));
  const ours = lines.filter(([, origin, codename]) => origin === 'Debian' && codename?.startsWith(suite));
  const found = ours.map(([line = '']) => line);
  const main = `deb ${await archiveAddress()} ${suite} main`;
  return found.length > 0 ? found : [main];
}
