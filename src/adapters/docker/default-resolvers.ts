/**
 * The resolvers that the Engine gives to containers that name none of their own.
 *
 * It tells them nowhere in its API: they are dockerd's `--dns` or daemon.json, else what it makes of the
 * host's /etc/resolv.conf. But it writes them into the file of a container on the host's network (to whom
 * it forwards) and on the default bridge. So such containers are made and started with a program that
 * cannot exist: the Engine has written the file by the time it finds out, and no instruction of any image
 * is ever run there, so that nobody else can have written to it. (Tried on 20.10 and 28.5.)
 */
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { EngineRefusal } from './errors.ts';
import { ourLabels, ourName } from './labels.ts';
import { parseResolvConf } from './resolv-conf.ts';

/** An Engine may have no default bridge; then the file is not written, and nothing is in it. */
const NETWORKS = ['host', 'bridge'] as const;

/** A program below a device: no image can hold it. */
const impossible = '/dev/null/none';

/** Milliseconds after which a container of this kind that is still there was left by a crash. */
const longest = 120_000;

/**
 * Remembers a good answer, and asks anew behind the back of who gets it when it is older than `keepFor`
 * milliseconds: asking takes longer than all else at a container's start. `image`: one that the Engine
 * has. Fails with an `EngineError`.
 */
export function defaultResolvers(
  engine: Engine,
  keepFor: number,
  now: () => number,
): (image: string) => Promise<readonly string[]> {
  let known: Promise<readonly string[]> | undefined;
  let due = Number.NEGATIVE_INFINITY;
  const askAll = async (image: string): Promise<readonly string[]> => {
    const lists = await Promise.all(NETWORKS.map((network) => ask(engine, image, network, now())));
    return [...new Set(lists.flat())];
  };
  return (image) => {
    if (now() < due && known !== undefined) return known;
    due = now() + keepFor;
    const former = known;
    const asked = askAll(image);
    asked.then(
      () => {
        known = asked;
      },
      () => {
        due = Number.NEGATIVE_INFINITY;
        if (known === asked) known = undefined;
      },
    );
    known = former ?? asked;
    return known;
  };
}

async function ask(engine: Engine, image: string, network: string, now: number): Promise<readonly string[]> {
  const name = ourName('resolvers');
  try {
    await engine.create(name, body(image, network, ourLabels(name, now + longest)));
    await startInVain(engine, name);
    return parseResolvConf((await readFileOf(engine, name, '/etc/resolv.conf')) ?? '').nameServers;
  } finally {
    await engine.remove(name).catch(() => {});
  }
}

async function startInVain(engine: Engine, name: string): Promise<void> {
  try {
    await engine.start(name);
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
  }
}

const body = (image: string, network: string, labels: object): object => ({
  Image: image,
  Entrypoint: [impossible],
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
