/**
 * What the servers of a namespace do with a message.
 */
import type { Transport } from '../dns/reply.ts';

/** Calls `respond` once: with the answer, or with undefined if there is none. */
export type QuestionHandler = (
  message: Uint8Array,
  transport: Transport,
  respond: (answer: Uint8Array | undefined) => void,
) => void;
