/**
 * Opens the watch socket of a controller, with what it needs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf, UserError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { steadyNow } from '../../common/steady-clock.ts';
import type { Config, WatchConfig } from '../../config/config.ts';
import { parseService } from '../../diagnostics/service-names.ts';
import type { Controls } from '../api/server.ts';
import type { Controller } from '../controller.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Services } from '../wiring.ts';
import { ControllerState } from './controller-state.ts';
import { DeniedReadings } from './denied-readings.ts';
import { LiveSource, type StateMaker } from './live-source.ts';
import { type ServiceAnswer, serveWatch } from './server.ts';
import { socketPlace } from './socket-place.ts';
import { steadyOffset } from './steady-offset.ts';

export interface WatchParts {
  readonly controller: Controller;
  readonly telemetry: Telemetry;
  readonly services: Services;
  readonly controls: Pick<Controls, 'status' | 'diagnostics' | 'sources' | 'namespace'>;
  readonly config: Config;
  readonly log: Logger;
}

export async function openWatch(
  watch: WatchConfig,
  parts: WatchParts,
): Promise<{ readonly live: LiveSource; close(): Promise<void> }> {
  const { log, controls, services } = parts;
  const offset = steadyOffset(Date.now, steadyNow);
  const live = new LiveSource({
    ...{ now: Date.now, log },
    open: (onChange) => openState(parts, offset, onChange),
  });
  const { status, diagnostics, sources, namespace } = controls;
  const server = await serveWatch(await socketPlace(watch, log), {
    ...{ status, diagnostics, sources, namespace, live },
    service: (name) => readService(services, name),
  });
  return {
    live,
    close: async () => {
      live.close();
      await server.close();
    },
  };
}

/** While somebody reads the live state. */
function openState(parts: WatchParts, offset: () => number, onChange: () => void): StateMaker {
  const state = new ControllerState({ ...parts, offset, now: steadyNow }, onChange);
  const { egress } = parts.telemetry.denyLogs;
  const readings = new DeniedReadings({
    namespaces: () => egress.namespaces,
    refresh: (namespace) => egress.refresh(namespace),
    ...{ onRead: onChange, now: () => performance.now(), pause },
  });
  return {
    next: (previous) => state.next(previous),
    close: () => {
      readings.close();
      state.close();
    },
  };
}

async function readService(services: Pick<Services, 'readService'>, name: string): Promise<ServiceAnswer> {
  const service = parseService(name);
  if (service === undefined) throw new UserError(`"${name}" is no name of a service`);
  return services.readService(service).then(
    (instances) => ({ instances }),
    (error: unknown) => ({ instances: [], unread: messageOf(error) }),
  );
}
