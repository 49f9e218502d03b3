/**
 * The configuration of `egresstrator page`. Its process reads no option of the controller but the watch socket.
 */
import { type Environment, type Flags, OptionReader, type Place } from './option-reader.ts';

export interface PageConfig {
  readonly watchSocket: string;
  readonly listen: Place;
  /** Names of the page besides addresses and localhost. */
  readonly hosts: readonly string[];
  readonly tokenFile: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The address is inside a container, and people come from the host's loopback alone. */
  readonly isPublishedOnLoopback: boolean;
}

/** A folder of its own: whoever may enter it reaches nothing else of the controller. */
const WATCH_SOCKET = '/run/egresstrator-watch/watch.sock';

/** Throws a `UsageError` with all invalid options. */
export function resolvePageConfig(flags: Flags, environment: Environment): PageConfig {
  const read = new OptionReader(flags, environment);
  const watchSocket = read.text('watchSocket');
  const config: PageConfig = {
    watchSocket: watchSocket === 'none' ? WATCH_SOCKET : watchSocket,
    listen: read.endpointOrSocket('pageListen'),
    hosts: read.hostNames('pageHost'),
    tokenFile: read.optional('pageTokenFile'),
    cert: read.optional('pageCert'),
    key: read.optional('pageKey'),
    isPublishedOnLoopback: read.flag('pageOnLoopback'),
  };
  read.finish();
  return config;
}
