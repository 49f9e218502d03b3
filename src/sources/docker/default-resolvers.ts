/**
 * The DNS resolvers that the Engine gives to containers without `--dns`.
 *
 * The API does not list them: they come from dockerd's `--dns` or daemon.json, or else from the host's
 * /etc/resolv.conf. But the Engine writes them to the resolv.conf of containers on the host's network and on the
 * default bridge. So it is asked to create such containers, which never run (resolv-conf-probe.ts).
 */
import type { Engine } from './engine.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { resolvConfOn } from './resolv-conf-probe.ts';

/** On an Engine without a default bridge the file is empty. */
const NETWORKS = ['host', 'bridge'] as const;

/**
 * Caches a successful answer. If it is older than `keepFor` milliseconds, the caller still gets it at once and a new
 * read starts in the background, because reading takes longer than the rest of a container's start. `image`: an image
 * that the Engine has. Fails with an `EngineError`.
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
