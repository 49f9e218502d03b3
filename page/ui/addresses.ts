/**
 * Addresses of screens, and what stands in them. Pure.
 */

/** The values of `:name` in a pattern such as `/keys/:key`; undefined if it does not match. */
export function match(pattern: string, address: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = address.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const text = decoded(given[at] ?? '');
    if (text === undefined) return undefined;
    if (part.startsWith(':')) found[part.slice(1)] = text;
    else if (part !== text) return undefined;
  }
  return found;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export const workloadPath = (name: string): string => `/workloads/${encodeURIComponent(name)}`;
export const keyPath = (key: string): string => `/keys/${encodeURIComponent(key)}`;
