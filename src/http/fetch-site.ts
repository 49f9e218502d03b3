/**
 * Checks which site made a browser send a request, by the headers that no page can set (`Sec-Fetch-…`, `Origin`).
 *
 * Another port of the same host is the same *site*: cookies go there and come from there. So only the same *origin*
 * counts, or nobody (`none`: an address that a person typed).
 *
 * Without `Sec-Fetch-Site` a request passes. It is of a program, of an old browser, or of a page without TLS behind a
 * proxy, and to reject it would protect nothing more: other sites cannot read an answer that has no CORS headers, and
 * browsers that do not send it do send `Origin` where something is posted.
 */

interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** True if the request comes from our own page, from a person, or from no browser. */
export function isOwnSite({ headers }: Asked): boolean {
  const site = headers['sec-fetch-site'];
  return (site === undefined || site === 'same-origin' || site === 'none') && isOwnOrigin(headers);
}

/** A link on another site leads here. The empty page may be shown: it holds nothing until it has asked for it itself. */
export const isNavigation = ({ method, headers }: Asked): boolean =>
  method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';

function isOwnOrigin({ origin, host }: Asked['headers']): boolean {
  if (origin === undefined) return true;
  return typeof origin === 'string' && (origin === `http://${host}` || origin === `https://${host}`);
}
