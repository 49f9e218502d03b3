/**
 * What runs while somebody reads the live state of a controller: readings of kernels and of Consul, and the state that
 * is made of them. It ends with the last reader.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../common/logger.ts';
import { steadyNow } from '../../common/steady-clock.ts';
import { type Config, PUBLISHED } from '../../config/config.ts';
import type { Dataplane } from '../../dataplane/dataplane.ts';
import type { NamespaceCounters } from '../../dataplane/namespace-counters.ts';
import { StatusPublisher } from '../../sources/consul/status-publisher.ts';
import type { Controller } from '../controller.ts';
import type { DeniedNamespace } from '../denied-lines.ts';
import type { DenyLog } from '../deny-log.ts';
import { refOf } from '../ruleset-loader.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Services } from '../wiring.ts';
import { Cluster } from './cluster.ts';
import { ControllerState } from './controller-state.ts';
import { DeniedReadings, type Signs } from './denied-readings.ts';
import { HostReadings } from './host-readings.ts';
import type { StateMaker } from './live-source.ts';
import type { Timeline } from './timeline.ts';

export interface WatchedParts {
  readonly controller: Controller;
  readonly telemetry: Telemetry;
  readonly services: Services;
  readonly config: Config;
  readonly log: Logger;
  readonly dataplane: Pick<Dataplane, 'counters'>;
  /** From the controller's clock to the host's, in milliseconds. */
  readonly offset: () => number;
  readonly timeline: Timeline;
}

const now = () => performance.now();

export function openState(parts: WatchedParts, onChange: () => void): StateMaker {
  const { config, log, telemetry, dataplane } = parts;
  const publisher = new StatusPublisher(config.consul, config.publish ?? PUBLISHED);
  const cluster = new Cluster({ publisher, log, now: steadyNow, onRead: onChange });
  const state = new ControllerState({ ...parts, cluster, now: steadyNow }, onChange);
  const { egress, ingress, host } = telemetry.denyLogs;
  const readings = [
    readingsOf(egress, dataplane, onChange, ({ sent, failed }) => ({ traffic: sent, denials: failed })),
    readingsOf(ingress, dataplane, onChange, ({ received, undelivered }) => ({
      ...{ traffic: received, denials: undelivered },
    })),
    ...(host === undefined ? [] : [new HostReadings({ log: host, onRead: onChange, now, pause })]),
  ];
  return {
    next: (previous) => state.next(previous),
    close: () => {
      for (const one of readings) one.close();
      state.close();
      publisher.close();
    },
  };
}

const readingsOf = (
  log: DenyLog,
  dataplane: Pick<Dataplane, 'counters'>,
  onRead: () => void,
  signsIn: (counters: NamespaceCounters) => Signs,
) =>
  new DeniedReadings<DeniedNamespace>({
    namespaces: () => log.namespaces,
    signs: async (namespace) => {
      const counters = await dataplane.counters(refOf(namespace));
      return counters && signsIn(counters);
    },
    trafficAtReading: (namespace) => log.trafficAtReading(namespace),
    read: (namespace) => log.refresh(namespace),
    ...{ onRead, now, pause },
  });
