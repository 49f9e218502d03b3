/**
 * Reads the resolv.conf that the Engine writes for containers on a network.
 *
 * A container is created there and started with a program that cannot exist. The Engine writes the file before it
 * notices, and no instruction of any image runs. (Tried on 20.10 and 28.5.)
 *
 * The network may be a workload's (`container:<id>`): containers that share a network share the file. The Engine could
 * also send the workload's own file, but holds the container's lock while it reads, so that nobody can inspect or join
 * the container. A workload can make that read last 45 s or fail (a lease on the file, links, folders in the place of
 * its volumes). A read of our own container blocks nobody else.
 */
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { EngineHttpError } from './errors.ts';
import { ourLabels, ourName } from './labels.ts';

/** A path below a device file: no image can contain it. */
const nonexistentBinary = '/dev/null/none';

/** Milliseconds after which a container of this kind is a leftover of a crash. */
const longest = 120_000;

/** `image`: an image that the Engine has. Fails with an `EngineError`. */
export async function resolvConfOn(
  engine: Engine,
  image: string,
  network: string,
  now: number,
): Promise<string> {
  const name = ourName('resolvers');
  try {
    await engine.create(name, body(image, network, ourLabels(name, now + longest)));
    await startExpectingFailure(engine, name);
    return (await readFileOf(engine, name, '/etc/resolv.conf')) ?? '';
  } finally {
    await engine.remove(name).catch(() => {});
  }
}

/** If the Engine rejects the start for another reason, it has not written the file. */
async function startExpectingFailure(engine: Engine, name: string): Promise<void> {
  try {
    await engine.start(name);
  } catch (error) {
    if (!(error instanceof EngineHttpError && error.detail.includes(nonexistentBinary))) throw error;
  }
}

const body = (image: string, network: string, labels: object): object => ({
  Image: image,
  Entrypoint: [nonexistentBinary],
  Cmd: [],
  User: '65534:65534',
  Healthcheck: { Test: ['NONE'] },
  Labels: labels,
  HostConfig: {
    NetworkMode: network,
    UsernsMode: 'host',
    IpcMode: 'none',
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
  },
});
