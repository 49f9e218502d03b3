/**
 * The common format of state files: a version, a checksum, and the content.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const VERSION = 1;

const Envelope = z.object({ version: z.number(), checksum: z.string(), content: z.string() });

export const seal = (content: string): string =>
  `${JSON.stringify({ version: VERSION, checksum: checksum(content), content })}\n`;

/** Parses the content as JSON. Throws an `Error` with the reason if the text is not usable. */
export function unseal(text: string): unknown {
  const envelope = Envelope.safeParse(parseJson(text));
  if (!envelope.success) throw new Error('it is not a state file of egresstrator');
  const { version, checksum: sum, content } = envelope.data;
  if (version !== VERSION)
    throw new Error(`it has version ${version}, and this program reads version ${VERSION}`);
  if (sum !== checksum(content)) throw new Error('its checksum is wrong, so it is damaged');
  return parseJson(content);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');
