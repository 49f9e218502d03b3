/**
 * The headers that tell browsers what our answers may do, and who may read them. Each listener has one of these sets on
 * every answer.
 */

/** No script, style or connection but our own, no frame, no form, and no text that becomes markup. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Of answers that programs read: kept nowhere, taken for nothing else, hidden from other sites. */
export const DATA_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Of a page for people, and of all that it asks for. Files that never change say so themselves. */
export const PAGE_HEADERS = {
  ...DATA_HEADERS,
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;
