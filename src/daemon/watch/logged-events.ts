/**
 * Events of the timeline that the log has too: a logger that also tells them to the timeline. So what happens is told
 * in one place.
 */
import type { Logger } from '../../common/logger.ts';
import type { NewEvent, Timeline } from './timeline.ts';

/** The fields that events are made of. */
interface Fields {
  readonly container?: unknown;
  readonly template?: unknown;
  readonly error?: unknown;
  readonly ms?: unknown;
}

type ToEvent = (fields: Fields) => NewEvent;

/** By the message of the log. */
export const LOGGED_EVENTS: ReadonlyMap<string, ToEvent> = new Map<string, ToEvent>([
  ['rules loaded', (fields) => loadOf(fields, 'rules loaded')],
  ['rules removed', (fields) => loadOf(fields, 'rules removed')],
  [
    'keeping the existing rules until Consul responds',
    (fields) => loadOf(fields, 'keeping the existing rules until Consul responds'),
  ],
  [
    'rules could not be loaded; trying again',
    (fields) => ({
      ...loadOf(fields, `rules could not be loaded: ${textOf(fields.error)}`),
      isProblem: true,
    }),
  ],
  [
    'rules in the kernel were changed',
    ({ container }) => ({
      ...{ kind: 'repair', subject: textOf(container), isProblem: true },
      text: 'another program changed the rules in the kernel; they are loaded again',
    }),
  ],
  [
    'rules in the kernel differ from the recorded load; loading them again',
    ({ container }) => ({
      ...{ kind: 'repair', subject: textOf(container) },
      text: 'the rules in the kernel differ from the recorded load; they are loaded again',
    }),
  ],
  [
    'template loaded',
    ({ template }) => ({ kind: 'template', subject: textOf(template), text: 'template loaded' }),
  ],
  [
    'template cannot be used; keeping the last good template',
    ({ template, error }) => ({
      ...{ kind: 'template', subject: textOf(template), isProblem: true },
      text: `template cannot be used, the last good one is kept: ${textOf(error)}`,
    }),
  ],
  [
    'other firewalls accept what is forwarded',
    () => ({ kind: 'host', subject: HOST, text: 'other firewalls accept what is forwarded' }),
  ],
  [
    'passages could not be made; trying again',
    ({ error }) => ({
      ...{ kind: 'host', subject: HOST, isProblem: true },
      text: `passages through other firewalls could not be made: ${textOf(error)}`,
    }),
  ],
]);

const HOST = 'the host';

const loadOf = ({ container, ms }: Fields, text: string): NewEvent => ({
  kind: container === HOST ? 'host' : 'load',
  ...{ subject: textOf(container), text },
  ...(typeof ms === 'number' && { took: Math.round(ms) }),
});

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Logs to `log`, and tells the timeline what is an event. */
export function timelineLogger(log: Logger, timeline: Pick<Timeline, 'add'>): Logger {
  const tell =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      log[level](fields, message);
      const toEvent = LOGGED_EVENTS.get(message);
      if (toEvent !== undefined) timeline.add(toEvent(fields));
    };
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') };
}
