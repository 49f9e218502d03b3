/** What a text has in front of it for rules by name. */
import { describe, expect, it } from 'vitest';
import { factsDigest, withFacts } from '../../../../src/features/egress/facts.ts';
import type { NameFacts } from '../../../../src/features/egress/name-facts.ts';
import { address } from '../names/names.ts';

const TEXT = 'elements = $held4_7\nelements = $held6_7\nelements = $kept4_7 $held4_7\n$dockersocket return\n';
const NAMES: NameFacts = { secret: '0123456789abcdef'.repeat(2), port: 5353 };
const DOCKER = { port: 4000, cgroup: { path: 'system.slice/egresstrator.service', level: 2 } };
const facts = (names?: NameFacts) => ({ resolvers: [], attachments: [], names });
const linesOf = (...args: Parameters<typeof withFacts>) => withFacts(...args).split('\n');

describe('the variables of rules by name', () => {
  it('are the secret, the port, a mark, and each set that the text has', () => {
    const held = {
      granted: [
        { number: 7, address: address('192.0.2.1'), seconds: 90 },
        { number: 7, address: address('2001:db8::1'), seconds: 5 },
        { number: 8, address: address('192.0.2.8'), seconds: 5 },
      ],
      kept: [{ number: 7, address: address('192.0.2.2') }],
    };
    expect(linesOf(TEXT, facts(NAMES), held)).toEqual([
      expect.stringMatching(/^define facts = 0x/),
      'define resolvers4 = { 127.0.0.1 }',
      'define resolvers6 = { ::1 }',
      'define seal = 0x0123456789abcdef0123456789abcdef',
      'define dnsport = 5353',
      expect.stringMatching(/^define dockerport = \d+$/),
      expect.stringMatching(/^define named = 0x[\da-f]{8}$/),
      'define held4_7 = { 0x0 timeout 1s, 0xc0000201 timeout 90s }',
      'define held6_7 = { 0x0 timeout 1s, 0x20010db8000000000000000000000001 timeout 5s }',
      'define kept4_7 = { 0x0, 0xc0000202 }',
      ...['elements = $held4_7', 'elements = $held6_7', 'elements = $kept4_7 $held4_7', 'udp sport 0 return'],
      ...['# end', ''],
    ]);
  });

  it('name the socket that may ask Docker, by its cgroup, if nft can take that name', () => {
    const line = (docker: NameFacts['docker']) =>
      linesOf('$dockersocket return', facts({ ...NAMES, docker }))[7];
    expect(line(DOCKER)).toBe(
      'udp sport 4000 socket cgroupv2 level 2 "system.slice/egresstrator.service" return',
    );
    expect(line({ port: 1, cgroup: { path: 'a"\n', level: 1 } })).toBe('udp sport 0 return');
  });

  it('are not there without a proxy', () => {
    expect(withFacts(TEXT, facts())).not.toMatch(/seal|dnsport|held4_7 =/);
  });
});

it('a digest differs with each of them, and does not hold the secret', () => {
  const all = [undefined, NAMES, { ...NAMES, port: 1 }, { ...NAMES, secret: '0'.repeat(32) }];
  const digests = [...all, { ...NAMES, docker: DOCKER }].map((names) => factsDigest(facts(names)));
  expect(new Set(digests).size).toBe(5);
  for (const digest of digests) expect(digest).toMatch(/^0x[\da-f]{8}$/);
});
