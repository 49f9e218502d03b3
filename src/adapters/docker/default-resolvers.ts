/**
 * Whom the Engine asks for names on behalf of containers that name no server of their own.
 *
 * Engines before 26 tell it nowhere in their API: it is dockerd's `--dns` or daemon.json, else the host's
 * /etc/resolv.conf. But into the file of a container on the host's network they write just that. So such a
 * container is made and started with a program that cannot exist: the Engine has written the file by the
 * time it finds out, and no instruction of any image is ever run there. (Tried on 20.10 and 28.5.)
 */
import { randomUUID } from 'node:crypto';
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { EngineRefusal } from './errors.ts';
import { ourLabels } from './labels.ts';
import { parseResolvConf } from './resolv-conf.ts';

/** A program below a device: no image can hold it. */
const impossible = '/dev/null/none';

/** Milliseconds after which a container of this kind that is still there was left by a crash. */
const longest = 120_000;

/**
 * Remembers a good answer for `keepFor` milliseconds. `image`: any that the Engine has. Fails with an
 * `EngineError`.
 */
export function defaultResolvers(
  engine: Engine,
  keepFor: number,
  now: () => number,
): (image: string) => Promise<readonly string[]> {
  let known: { readonly at: number; readonly answer: Promise<readonly string[]> } | undefined;
  return (image) => {
    if (known !== undefined && now() - known.at < keepFor) return known.answer;
    const asked = { at: now(), answer: ask(engine, image, now()) };
    known = asked;
    asked.answer.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked.answer;
  };
}

async function ask(engine: Engine, image: string, now: number): Promise<readonly string[]> {
  const name = `egresstrator-resolvers-${randomUUID()}`;
  try {
    await engine.create(name, body(image, ourLabels(name, now + longest)));
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

const body = (image: string, labels: object): object => ({
  Image: image,
  Entrypoint: [impossible],
  Cmd: [],
  User: '65534:65534',
  Healthcheck: { Test: ['NONE'] },
  Labels: labels,
  HostConfig: {
    NetworkMode: 'host',
    UsernsMode: 'host',
    IpcMode: 'none',
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
  },
});
