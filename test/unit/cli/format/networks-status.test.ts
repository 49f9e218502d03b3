/** The section of `status` about networks.json. */
import { expect, test } from 'vitest';
import { formatNetworksStatus } from '../../../../src/cli/format/networks-status.ts';
import { plain } from '../../../../src/format/style.ts';

test('each kind of entry in a line, then what is not as the file says, with reason and next try', () => {
  const text = formatNetworksStatus(
    {
      path: '/etc/user/config/networks.json',
      readAt: 88_000,
      networks: [
        { path: 'networks.front', text: 'front 172.18.103.0/24', state: 'applied' },
        { path: 'networks.back', text: 'back 172.18.104.0/24', state: 'failed', reason: 'no room' },
      ],
      attachments: [{ path: 'ips.web', text: 'web 172.18.104.2', state: 'waiting' }],
      policies: [{ path: 'policies[1]', state: 'invalid', reason: 'has no target' }],
      routes: [],
      failing: [{ name: 'networks.back', reason: 'no room', retryAt: 94_000 }],
    },
    90_000,
    plain,
  );
  expect(text).toBe(`networks.json /etc/user/config/networks.json, read 2s ago
  networks     1 applied, 1 failed
  attachments  1 waiting
  policies     1 invalid
  routes       none
  failed: networks.back: no room; next try in 4 seconds
  waiting: ips.web (web 172.18.104.2)
  invalid: policies[1]`);
});

test('a file that is not used says why', () => {
  const none = { networks: [], attachments: [], policies: [], routes: [], failing: [] };
  const error = 'the file ends in the middle; the last good one counts';
  const text = formatNetworksStatus({ path: '/n.json', error, ...none }, 0, plain);
  expect(text.split('\n').slice(0, 2)).toEqual(['networks.json /n.json, read never', `  not used: ${error}`]);
});
