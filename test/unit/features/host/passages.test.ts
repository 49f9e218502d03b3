/** What other firewalls of the host do to what is forwarded, as problems. */
import { expect, it, test } from 'vitest';
import { passageProblems } from '../../../../src/features/host/passages.ts';
import type { Passage, Passages } from '../../../../src/inventory/passages.ts';

const of = (tool: string, state: Passage['state'], chain = 'DOCKER-USER'): Passage => ({
  tool,
  chain,
  state,
});
const chainsOf = (seen: Partial<Passages>): readonly (string | undefined)[] =>
  passageProblems({ passages: [], dropping: [], lacking: [], failing: [], ...seen }).map(({ text }) => text);

const FORWARD = 'ip filter FORWARD';
const FORWARD6 = 'ip6 filter FORWARD';

test.each([['absent'], ['moved']] as const)(
  'a chain whose passage is %s drops only until it is made',
  (state) => {
    expect(chainsOf({ passages: [of('iptables-nft', state)], dropping: [FORWARD] })).toEqual([]);
    expect(chainsOf({ passages: [of('ip6tables', state)], dropping: [FORWARD6] })).toEqual([]);
  },
);

it('is a problem that a chain drops whose passage is there, or cannot be made', () => {
  expect(chainsOf({ passages: [of('iptables-nft', 'kept')], dropping: [FORWARD] })).toEqual([FORWARD]);
  expect(chainsOf({ dropping: [FORWARD] })).toEqual([FORWARD]);
  expect(chainsOf({ dropping: [FORWARD], failing: ['iptables-nft'] })).toEqual([FORWARD, 'iptables-nft']);
});

it('is a problem that another chain drops, whatever passages there are', () => {
  const passages = [of('iptables-nft', 'absent')];
  expect(chainsOf({ passages, dropping: ['inet ufw forward', FORWARD6] })).toEqual([
    'inet ufw forward',
    FORWARD6,
  ]);
});
