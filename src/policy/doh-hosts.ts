/**
 * Public resolvers that answer DNS over HTTPS (and mostly over TLS): who may reach one can resolve any name, and send
 * data out in the names that it asks for. The list is short: those that browsers and systems offer by themselves, and
 * those that are best known. Names below them count as well.
 */
import type { Name } from '../dns/name.ts';

export const DOH_HOSTS: readonly Name[] = [
  // Google
  ...['dns.google', 'dns64.dns.google', '8888.google'],
  // Cloudflare, also as Firefox's and Chrome's
  ...['cloudflare-dns.com', 'one.one.one.one', 'cloudflare-gateway.com'],
  // Quad9
  'quad9.net',
  // OpenDNS
  ...['doh.opendns.com', 'doh.familyshield.opendns.com', 'doh.umbrella.com'],
  ...['dns.nextdns.io', 'adguard-dns.com', 'dns.adguard.com', 'doh.cleanbrowsing.org', 'controld.com'],
  ...[
    'dns.mullvad.net',
    'doh.dns.sb',
    'dns.alidns.com',
    'doh.pub',
    'dns0.eu',
    'doh.libredns.gr',
    'dns.switch.ch',
  ],
  ...['doh.applied-privacy.net', 'dns.njal.la', 'unicast.censurfridns.dk', 'anycast.censurfridns.dk'],
].map((text) => text.split('.'));
