/**
 * Consul's answer as it came: body and metadata.
 */
import { z } from 'zod';

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  /** `X-Consul-Index`; undefined where there is none, and then it was not Consul that answered. */
  readonly index: bigint | undefined;
  /** False: the server that answered has lost its leader, and may be behind. */
  readonly leaderKnown: boolean;
  /** Milliseconds since the server last heard from its leader. */
  readonly lastContact: number;
  /** Consul (1.11 or later) says that ACLs hid a part. */
  readonly filtered: boolean;
}

const header = z.string().optional();
const response = z.object({
  statusCode: z.number(),
  body: z.instanceof(Buffer).optional(),
  headers: z.object({
    'x-consul-index': header,
    'x-consul-knownleader': header,
    'x-consul-lastcontact': header,
    'x-consul-results-filtered-by-acls': header,
  }),
});
/** The package resolves to `[response, data]`, papi itself to the response. */
const answer = z.union([
  z
    .array(z.unknown())
    .transform(([first]) => first)
    .pipe(response),
  response,
]);

export function replyOf(resolved: unknown): Reply {
  const { statusCode, body = Buffer.alloc(0), headers } = answer.parse(resolved);
  const index = headers['x-consul-index'] ?? '';
  return {
    status: statusCode,
    body,
    index: /^\d{1,20}$/.test(index) ? BigInt(index) : undefined,
    leaderKnown: headers['x-consul-knownleader'] !== 'false',
    lastContact: Number(headers['x-consul-lastcontact'] ?? 0) || 0,
    filtered: headers['x-consul-results-filtered-by-acls'] === 'true',
  };
}
