/**
 * Reads and writes text/event-stream, as the HTML standard defines it.
 */
import { UserError } from '../common/errors.ts';

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** One event as text. `data` has no line ends, as JSON has none. */
export const eventText = (event: string, data: object, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Keeps a connection and the proxies on its way open. */
export const HEARTBEAT = ': \n\n';

/** Gives each event of a stream that arrives in parts. Throws if one has more than `most` characters. */
export class EventReader {
  readonly #most: number;
  /** The beginning of an event whose end is not there yet. They are joined once, as there can be many. */
  #parts: string[] = [];
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  *read(part: string): Generator<StreamEvent> {
    const isEnd = `${this.#parts.at(-1)?.at(-1) ?? ''}${part}`.includes('\n\n');
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > this.#most) throw new UserError(`an event has more than ${this.#most} characters`);
    if (!isEnd) return;
    const texts = this.#parts.join('').split('\n\n');
    const rest = texts.pop() ?? '';
    this.#parts = rest === '' ? [] : [rest];
    this.#length = rest.length;
    for (const text of texts) {
      const event = parseEvent(text);
      if (event !== undefined) yield event;
    }
  }
}

/** Undefined for a comment. */
function parseEvent(text: string): StreamEvent | undefined {
  const fields = text.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, value }];
  });
  const data = fields.filter(({ name }) => name === 'data').map(({ value }) => value);
  const event = fields.find(({ name }) => name === 'event')?.value ?? 'message';
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
