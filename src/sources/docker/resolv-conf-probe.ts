/**
 * Reads the resolv.conf that the Engine writes for containers on a network.
 *
 * A container is made there and started with a program that cannot exist: the Engine has put the file in
 * its place by the time it finds out, and no instruction of any image is ever run. (Tried on 20.10 and 28.5.)
 *
 * The network may be that of a workload (`container:<id>`): containers that share a network share the file.
 * The Engine could send a workload's file by itself, but that it must not be asked for. It holds the
 * container's lock while it reads, in which nobody else may inspect or join the container; and what the
 * workload has put in the way (a lease on the file, links, folders in the place of its volumes) makes that
 * last for 45 s, or fail for good. Of our own container only our own read is in the way.
 */
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { EngineHttpError } from './errors.ts';
import { ourLabels, ourName } from './labels.ts';

/** A program below a device: no image can hold it. */
const nonexistentBinary = '/dev/null/none';

/** Milliseconds after which a container of this kind that is still there was left by a crash. */
const longest = 120_000;

/** `image`: one that the Engine has. Fails with an `EngineError`. */
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

/** An Engine that rejects the start for another reason has not written the file. */
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
