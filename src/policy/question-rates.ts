/**
 * What one namespace may send to the proxy in a second. The kernel drops more, so that a flood takes the proxy no time;
 * the proxy counts too, because many questions come over one connection.
 */
export const QUESTIONS_PER_SECOND = 5_000;
/** New ones, over TCP. */
export const CONNECTIONS_PER_SECOND = 1_000;
