/**
 * The watch socket of a controller, and the timeline that it shows. Where it is off, there is neither.
 *
 * It is made before the controller, because the timeline begins with the controller's first steps.
 */
import { messageOf, UserError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { steadyNow } from '../../common/steady-clock.ts';
import type { WatchConfig } from '../../config/config.ts';
import { parseService } from '../../diagnostics/service-names.ts';
import type { ApiServer, Controls } from '../api/server.ts';
import type { Services } from '../wiring.ts';
import { LiveSource } from './live-source.ts';
import { timelineLogger } from './logged-events.ts';
import { openState, type WatchedParts } from './open-state.ts';
import type { ServiceAnswer } from './routes.ts';
import { changesSeen, type Seen } from './seen-changes.ts';
import { serveWatch } from './server.ts';
import { socketPlace } from './socket-place.ts';
import { steadyOffset } from './steady-offset.ts';
import { Timeline } from './timeline.ts';

export type WatchParts = Omit<WatchedParts, 'offset' | 'timeline' | 'log'> & {
  readonly controls: Pick<Controls, 'status' | 'diagnostics' | 'sources' | 'namespace'>;
};

export class Watch {
  /** Logs as before; what is an event is on the timeline too. */
  readonly log: Logger;
  readonly #config: WatchConfig;
  readonly #timeline = new Timeline(Date.now);
  readonly #startedAt = Date.now();
  #seen: Seen | undefined;
  #live: LiveSource | undefined;
  #server: ApiServer | undefined;

  constructor(config: WatchConfig, log: Logger) {
    this.#config = config;
    this.log = timelineLogger(log, this.#timeline);
    this.#timeline.add({ kind: 'controller', subject: 'the controller', text: 'started' });
  }

  /** A sync has ended. */
  readonly onSynced = (seen: Seen): void => {
    if (this.#seen !== undefined) this.#timeline.add(...changesSeen(this.#seen, seen, this.#startedAt));
    this.#seen = seen;
    this.#live?.changed();
  };

  /** A job of the reconciler has ended. */
  readonly onReconciled = (): void => this.#live?.changed();

  async open({ controls, ...parts }: WatchParts): Promise<void> {
    const offset = steadyOffset(Date.now, steadyNow);
    const { log } = this;
    const watched = { ...parts, offset, log, timeline: this.#timeline };
    const live = new LiveSource({
      ...{ now: Date.now, log },
      open: (onChange) => openState(watched, onChange),
    });
    this.#live = live;
    const { status, diagnostics, sources, namespace } = controls;
    this.#server = await serveWatch(await socketPlace(this.#config, log), {
      ...{ status, diagnostics, sources, namespace, live },
      service: (name) => readService(parts.services, name),
    });
  }

  async close(): Promise<void> {
    this.#live?.close();
    await this.#server?.close();
  }
}

async function readService(services: Pick<Services, 'readService'>, name: string): Promise<ServiceAnswer> {
  const service = parseService(name);
  if (service === undefined) throw new UserError(`"${name}" is no name of a service`);
  return services.readService(service).then(
    (instances) => ({ instances }),
    (error: unknown) => ({ instances: [], unread: messageOf(error) }),
  );
}
