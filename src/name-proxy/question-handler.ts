/**
 * What the servers of a namespace do with a message.
 */
import type { Transport } from '../dns/reply.ts';

/** Undefined: there is no answer. */
export type Respond = (answer: Uint8Array | undefined) => void;

/** Calls `respond` once, at once or later. */
export type QuestionHandler = (message: Uint8Array, transport: Transport, respond: Respond) => void;
