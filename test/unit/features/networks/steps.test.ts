/**
 * What `networks apply --dry-run` lists, beside what is loaded.
 */
import { describe, expect, it } from 'vitest';
import type {
  DesiredNetworks,
  HostForward,
  InnerRules,
  Permit,
} from '../../../../src/features/networks/model.ts';
import { type Loaded, stepsOf } from '../../../../src/features/networks/steps.ts';
import { prefix } from '../../../support/host-claims.ts';

const origin = { path: 'here', line: 1, lines: {} };
const WEB = prefix('10.1.0.2');
const NOTHING: DesiredNetworks = {
  ...{ networks: [], attachments: [], permits: [], hostForwards: [], forwarding: [] },
  inner: new Map(),
};
const EMPTY: Loaded = { before: undefined, hasHostRules: false, inner: new Map() };

const permit = (port: number): Permit => ({
  ...{ from: prefix('10.2.0.0/24'), to: WEB, range: { first: port, last: port }, origin },
  protocol: 'tcp',
});
const forward = (port: number): HostForward => ({
  ...{ device: 'wg0', port, to: WEB, toPort: 80, origin },
  protocol: 'tcp',
});
const inner = (port: number): InnerRules => ({
  ...{ container: 'vpn', forwards: [{ ...forward(port), device: undefined, inside: 'v-pn' }] },
  routes: [{ to: WEB, via: prefix('10.9.0.1'), origin }],
});
const WANTED: DesiredNetworks = {
  networks: [
    { name: 'front', key: 'front', subnets: [{ prefix: prefix('10.2.0.0/24'), gateway: undefined }], origin },
  ],
  attachments: [
    {
      containerId: 'c',
      container: 'web',
      network: 'back',
      subnets: [],
      otherNames: [],
      addresses: [WEB, prefix('fd00::2')],
      origin,
    },
  ],
  permits: [permit(80)],
  hostForwards: [forward(90)],
  inner: new Map([['vpn@1', inner(70)]]),
  forwarding: [4, 6],
};

const lines = (desired: DesiredNetworks, loaded: Partial<Loaded>) =>
  stepsOf(desired, { ...EMPTY, ...loaded }).map(
    ({ action, kind, text, path = '-' }) => `${action} ${kind}: ${text} (${path})`,
  );

describe('the steps of a plan', () => {
  it('are all of it, in the order of the controller, where nothing is there', () => {
    expect(lines(WANTED, {})).toEqual([
      'make network: network front 10.2.0.0/24 (here)',
      'make address: web is attached to back with 10.1.0.2 and fd00::2 (here)',
      'make forwarding: this host forwards IPv4 (-)',
      'make permit: 10.2.0.0/24 may reach 10.1.0.2 at tcp/80 (here)',
      'make forward: wg0 of this host: tcp/90 leads to 10.1.0.2:80 (here)',
      'make forward: every device of vpn: tcp/70 leads to 10.1.0.2:80 (here)',
      'make route: vpn reaches 10.1.0.2 via 10.9.0.1 (-)',
      'make route: vpn forwards IPv4 (-)',
    ]);
  });

  const before = {
    ...NOTHING,
    permits: [permit(81)],
    hostForwards: [forward(90)],
    inner: new Map([['vpn@1', inner(71)]]),
  };
  const there = {
    container: 'vpn',
    hasForwards: true,
    routes: ['forward ipv4', '10.1.0.9 via 10.9.0.1'],
  };

  it('are what differs from the last file, and from what the kernel of a container has', () => {
    const wanted = { ...WANTED, networks: [], attachments: [], forwarding: [] };
    expect(lines(wanted, { before, hasHostRules: true, inner: new Map([['vpn@1', there]]) })).toEqual([
      'remove permit: 10.2.0.0/24 may reach 10.1.0.2 at tcp/81 (-)',
      'make permit: 10.2.0.0/24 may reach 10.1.0.2 at tcp/80 (here)',
      'remove forward: every device of vpn: tcp/71 leads to 10.1.0.2:80 (-)',
      'make forward: every device of vpn: tcp/70 leads to 10.1.0.2:80 (here)',
      'make route: vpn reaches 10.1.0.2 via 10.9.0.1 (-)',
      'remove route: vpn reaches 10.1.0.9 via 10.9.0.1 (-)',
    ]);
  });

  it('are all of it again where the last file is not in force any more', () => {
    const inForce = { before: { ...WANTED, networks: [] }, hasHostRules: false };
    const container = { ...there, hasForwards: false, routes: [] };
    expect(lines(WANTED, { ...inForce, inner: new Map([['vpn@1', container]]) })).toHaveLength(8);
  });

  it('take away what an empty file does not say', () => {
    expect(lines(NOTHING, { before, hasHostRules: true, inner: new Map([['vpn@1', there]]) })).toEqual([
      'remove permit: 10.2.0.0/24 may reach 10.1.0.2 at tcp/81 (-)',
      'remove forward: wg0 of this host: tcp/90 leads to 10.1.0.2:80 (-)',
      'remove forward: every device of vpn: tcp/71 leads to 10.1.0.2:80 (-)',
      'remove route: vpn reaches 10.1.0.9 via 10.9.0.1 (-)',
    ]);
  });
});
