/**
 * At a start, the ports guard of the last run counts until all is known that the new rules depend on: Consul may not answer
 * for hours. Where the kernel has lost it, as after a boot, it is loaded from the state folder.
 */
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { HOST_REF, type HostDataplane } from '../../dataplane/dataplane.ts';
import { readHostText } from './host-text.ts';

/** Never fails: without it, the rules come when all is known. */
export async function restoreHost(
  directory: string,
  bootId: string | undefined,
  dataplane: Pick<HostDataplane, 'inspect' | 'load'>,
  log: Logger,
): Promise<void> {
  try {
    const last = await readHostText(directory, bootId);
    if (last === undefined || (await isLoaded(dataplane))) return;
    const { text, fingerprint, isOfThisBoot } = last;
    await dataplane.load(HOST_REF, { owner: 'host', text, fingerprint });
    log.info({ fingerprint, isOfThisBoot }, 'the last rules of the host were missing, and are loaded again');
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the last rules of the host could not be loaded again');
  }
}

const isLoaded = async (dataplane: Pick<HostDataplane, 'inspect'>): Promise<boolean> =>
  (await dataplane.inspect(HOST_REF, 'host')).loaded.fingerprint !== undefined;
