/**
 * Checks the `Host` header. A web page can point its own DNS name to this host (DNS rebinding) and read what is
 * served here, but the browser still sends that name in `Host`. So only names that others cannot have are accepted:
 * IP addresses, localhost, and the names that the user has given (--allow-host, --page-host).
 */
import { isIP } from 'node:net';

/** `raw`: the request's headers, names and values in turn. Returns an HTTP status. */
export function statusForHost(
  raw: readonly string[],
  httpVersion: string,
  names: readonly string[],
): 200 | 400 | 421 {
  const hosts = raw.filter((_text, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === 'host');
  const [host, ...others] = hosts;
  // HTTP/1.0 has no such header, and no browser uses it.
  if (host === undefined) return httpVersion === '1.0' ? 200 : 400;
  if (others.length > 0) return 400;
  const name = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host);
  if (name === null) return 400;
  const [, bracketed, bare = ''] = name;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? 200 : 400;
  return isIP(bare) === 4 || ['localhost', ...names].some((one) => plain(one) === plain(bare)) ? 200 : 421;
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');
