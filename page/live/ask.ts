/**
 * Questions to the controller, through the page's process. The routes are those of the API.
 */
import { endSession, reasonIn } from './session.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `ask('/explain', { container, target })`. Throws an Error whose message is for people. */
export async function ask<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await fetch(`/api${path}${queryText(query)}`, { ...(signal && { signal }) }).catch(
    unanswered,
  );
  if (response.status === 401) endSession();
  if (!response.ok) throw new Error(await reasonIn(response));
  return response.json();
}

const unanswered = (error: unknown): never => {
  if (error instanceof Error && error.name === 'AbortError') throw error;
  throw new Error('the page does not answer; is egresstrator page running?');
};

export function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? '' : `?${text}`;
}
