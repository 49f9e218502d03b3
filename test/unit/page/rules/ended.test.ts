/** Denials that a new text of a key would end. */
import { expect, test } from 'vitest';
import { parsedKey } from '../../../../page/rules/answers.ts';
import { endedBy } from '../../../../page/rules/ended.ts';
import { snapshotOf } from '../../../../src/live/snapshot.ts';
import { liveSample } from '../../../support/live-sample.ts';

const sample = liveSample(1_795_923_000_000);

const ended = (key: string, text: string, denylist = false) => {
  const [[id, controller] = []] = sample.controller;
  if (id === undefined || controller === undefined) throw new Error('the sample has no controller');
  const state = { ...sample, controller: new Map([[id, { ...controller, denylist }]]) };
  const snapshot = snapshotOf(state);
  if (snapshot === undefined) throw new Error('the sample has no controller');
  const found = endedBy(parsedKey({ key, text, direction: 'egress' }), snapshot, state);
  return found.map(({ container, what, lines }) => `${container} ${what} ${lines.join()}`);
};

test('a new line ends what it allows, for those who hold the key', () => {
  expect(ended('payments', 'redis\n10.0.3.0/24:tcp/8443')).toEqual(['shop-api-1 10.0.3.7 tcp/8443 2']);
  expect(ended('old', '10.0.3.7:tcp/8443')).toEqual([]);
});

test('the port counts, and so does the protocol', () => {
  expect(ended('payments', '10.0.3.7:tcp/8444\n10.0.3.7:udp')).toEqual([]);
});

test('a broad line does not open a protected host', () => {
  expect(ended('payments', '169.254.0.0/16:tcp')).toEqual([]);
  expect(ended('payments', '169.254.169.254:tcp/80')).toEqual(['shop-api-1 169.254.169.254 tcp/80 1']);
});

test('what another key allows already has ended before', () => {
  // vpn has mail, which allows this.
  expect(ended('mail', '198.51.100.25:tcp/25')).toEqual([]);
});

test('a name that was asked in vain ends by a rule about it, where names are answered', () => {
  expect(ended('mail', '*.example.org:tcp/465')).toEqual(['shop-worker-1 smtp.example.org 1']);
});

test('with a denylist, a key that no longer names a destination opens it for those without the key', () => {
  expect(ended('metrics', '', true)).toEqual(['shop-web-1 10.0.9.8 udp/8125 ']);
});
