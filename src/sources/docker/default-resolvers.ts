/**
 * The DNS resolvers that the Engine gives to containers without `--dns`.
 *
 * It tells them nowhere in its API: they are dockerd's `--dns` or daemon.json, else what it makes of the
 * host's /etc/resolv.conf. But it writes them into the file of a container on the host's network (to whom
 * it forwards) and on the default bridge. So such containers are made, and started in vain
 * (resolv-conf-probe.ts): nobody else can have written to it.
 */
import type { Engine } from './engine.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { resolvConfOn } from './resolv-conf-probe.ts';

/** An Engine may have no default bridge; then the file is not written, and nothing is in it. */
const NETWORKS = ['host', 'bridge'] as const;

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
    const texts = await Promise.all(NETWORKS.map((network) => resolvConfOn(engine, image, network, now())));
    return [...new Set(texts.flatMap((text) => parseResolvConf(text).nameServers))];
  };
  return (image) => {
    if (now() < due && known !== undefined) return known;
    due = now() + keepFor;
    const previous = known;
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
    known = previous ?? asked;
    return known;
  };
}
