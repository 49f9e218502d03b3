import { expect, test } from 'vitest';
import { lintName } from '../../../src/diagnostics/lint-names.ts';
import { parseRules } from '../../../src/policy/rule.ts';

const reasonsOf = (text: string): readonly string[] =>
  parseRules('key', text)
    .rules.flatMap(lintName)
    .map(({ reason }) => reason);

const strangers = (suffix: string, more = '') =>
  `anyone can have a name below ${suffix}${more}, so it allows names of strangers`;
const customer = ', as a customer of its provider';
const shared = (suffix: string, name: string) =>
  `names below ${suffix} share addresses with those of other customers, so what ${name} resolves to may serve them too`;
const resolver = (host: string) =>
  `${host} answers DNS over HTTPS, so a workload can resolve any name there, and send data out in names`;

test.each([
  ['api.example.com:tcp/443', []],
  ['*.example.com:tcp/443', []],
  ['*.co.uk:tcp/443', [strangers('co.uk')]],
  ['**.github.io:tcp/443', [strangers('github.io', customer)]],
  ['me.github.io:tcp/443', [shared('github.io', 'me.github.io')]],
  ['d111.cloudfront.net:tcp/443', [shared('cloudfront.net', 'd111.cloudfront.net')]],
  [
    'production.postgresql:tcp/5432',
    [
      'production.postgresql is below no public domain, so it may have no public address, and others are not allowed without "@"',
    ],
  ],
  ['production.postgresql@10.0.0.0/8:tcp/5432', []],
  [
    'api.example.com@0.0.0.0/0,[2000::]/3:tcp/443',
    [
      'whoever answers for api.example.com may lead it to any address in 0.0.0.0/0, also in your own networks',
    ],
  ],
  ['dns.google:tcp/443', [resolver('dns.google')]],
  ['dns.google:tcp/80', []],
  ['mozilla.cloudflare-dns.com:tcp/1-1000', [resolver('cloudflare-dns.com')]],
  ['**.quad9.net:udp/853', [resolver('quad9.net')]],
  ['*.nextdns.io:tcp/443', [resolver('dns.nextdns.io')]],
  ['*.mullvad.net:tcp/443', [resolver('dns.mullvad.net')]],
  ['**.opendns.com:tcp/443', [resolver('doh.opendns.com')]],
  ['10.0.0.1:tcp/443', []],
])('%s', (line, reasons) => {
  expect(reasonsOf(line)).toEqual(reasons);
});
