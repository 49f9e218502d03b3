/**
 * Options of `egresstrator page`.
 */
import type { OptionSpec } from './option-spec.ts';

export const PAGE_OPTIONS = {
  pageListen: {
    flags: '--page-listen <[host:]port|unix:path>',
    variable: 'EGRESSTRATOR_PAGE_LISTEN',
    fallback: '127.0.0.1:9465',
    help: 'where the page is served; unix:<path> for a proxy that authenticates people itself',
  },
  pageHost: {
    flags: '--page-host <names>',
    variable: 'EGRESSTRATOR_PAGE_HOST',
    help: 'DNS names of the page, separated by commas, besides IP addresses and localhost',
  },
  pageTokenFile: {
    flags: '--page-token-file <path>',
    variable: 'EGRESSTRATOR_PAGE_TOKEN_FILE',
    help: 'file with the token that people log in with; without it, a link that works once is printed, on loopback alone',
  },
  pageCert: {
    flags: '--page-cert <path>',
    variable: 'EGRESSTRATOR_PAGE_CERT',
    help: 'certificate of the page for TLS (PEM)',
  },
  pageKey: {
    flags: '--page-key <path>',
    variable: 'EGRESSTRATOR_PAGE_KEY',
    help: 'its private key (PEM)',
  },
  pageOnLoopback: {
    flags: '--page-on-loopback',
    variable: 'EGRESSTRATOR_PAGE_ON_LOOPBACK',
    help: 'the page is in a container whose port is published on 127.0.0.1 of the host alone: print a link as on loopback',
  },
} as const satisfies Record<string, OptionSpec>;
