/**
 * The session of this browser: a token becomes a cookie that scripts cannot read.
 */
import { signal } from '@preact/signals';

/** `login`: a token is needed; `reason`: why the last one was rejected. */
export type Session = { readonly kind: 'open' } | { readonly kind: 'login'; readonly reason?: string };

export const session = signal<Session>({ kind: 'open' });

export const endSession = (reason?: string): void => {
  session.value = { kind: 'login', ...(reason !== undefined && { reason }) };
};

/** True if the token opened a session. */
export async function logIn(token: string): Promise<boolean> {
  const reason = await exchange(token);
  if (reason === undefined) session.value = { kind: 'open' };
  else endSession(reason);
  return reason === undefined;
}

/** Why it failed. */
async function exchange(token: string): Promise<string | undefined> {
  try {
    const response = await fetch('/session', {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ token }),
    });
    return response.ok ? undefined : await reasonIn(response);
  } catch {
    return 'the page does not answer; is egresstrator page running?';
  }
}

export async function reasonIn(response: Response): Promise<string> {
  try {
    const { error }: { error?: string } = await response.json();
    if (typeof error === 'string') return error;
  } catch {}
  return `the answer was ${response.status} ${response.statusText}`.trim();
}

/** The token of a one-time link, which leaves the address bar at once. */
export function tokenInAddress(): string | undefined {
  const [, token] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (token === undefined) return undefined;
  history.replaceState(null, '', `${location.pathname}${location.search}`);
  return token;
}
