import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import packet from 'dns-packet';
import { expect, it } from 'vitest';
import { addressOf } from '../../../src/features/names/admission.ts';
import { FairSlots } from '../../../src/name-proxy/fair-slots.ts';
import { UpstreamResolver } from '../../../src/name-proxy/upstream.ts';
import { formatPrefix } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { asked } from './messages.ts';
import { answerBytes, serveNames } from './name-servers.ts';

const resolverOf = (servers: readonly Endpoint[], limit = 20_000) =>
  new UpstreamResolver({ servers: () => servers, slots: new FairSlots(100), limit });

const addressesOf = async (resolver: UpstreamResolver, name = 'api.x.test') => {
  const answer = await resolver.ask(asked(name), 'a');
  return answer?.records.flatMap((record) => addressOf(record) ?? []).map(formatPrefix);
};

/** Where nobody answers: it was free a moment ago. */
const nobody = async (): Promise<Endpoint> => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return { address: '127.0.0.1', port };
};

it('sends a new question from a port of the kernel’s choice, with an id of its own', async () => {
  const server = await serveNames((one) => one.answer(answerBytes(one, ['192.0.2.1'])));
  const resolver = resolverOf([server.endpoint]);
  const names = Array.from({ length: 20 }, (_, index) => `n${index}.x.test`);
  const answers = await Promise.all(names.map((name) => addressesOf(resolver, name)));
  expect(answers).toEqual(names.map(() => ['192.0.2.1']));
  expect(new Set(server.asked.map(({ from }) => from.port)).size).toBe(20);
  expect(new Set(server.asked.map(({ id }) => id)).size).toBeGreaterThan(15);
  expect(packet.decode(Buffer.from(server.asked[0]?.bytes ?? []))).toMatchObject({
    ...{ flag_rd: true, flag_cd: false, questions: [{ name: expect.stringMatching(/^n\d+\.x\.test$/) }] },
    additionals: [{ type: 'OPT', options: [] }],
  });
});

it('uses a port again for a while, one question at a time', async () => {
  const server = await serveNames((one) => one.answer(answerBytes(one, ['192.0.2.1'])));
  const resolver = resolverOf([server.endpoint]);
  for (let times = 0; times < 40; times++) await addressesOf(resolver);
  expect(new Set(server.asked.map(({ from }) => from.port)).size).toBe(2);
});

it('ignores what does not fit the question, and takes the answer that does', async () => {
  const server = await serveNames((one) => {
    for (let wrong = 1; wrong < 50; wrong++)
      one.answer(answerBytes({ ...one, id: one.id ^ wrong }, ['203.0.113.66']));
    one.answer(answerBytes({ ...one, name: 'evil.test' }, ['203.0.113.66']));
    one.answer(one.bytes);
    one.answer(Uint8Array.of(1, 2, 3));
    one.answer(answerBytes(one, ['192.0.2.1']));
  });
  expect(await addressesOf(resolverOf([server.endpoint]))).toEqual(['192.0.2.1']);
});

it('does not take an answer from another sender', async () => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  const server = await serveNames((one) => {
    other.send(answerBytes(one, ['203.0.113.66']), one.from.port, '127.0.0.1', () =>
      one.answer(answerBytes(one, ['192.0.2.1'])),
    );
  });
  expect(await addressesOf(resolverOf([server.endpoint]))).toEqual(['192.0.2.1']);
  other.close();
});

it('asks over TCP if an answer is truncated', async () => {
  const many = Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`);
  const server = await serveNames((one) => one.answer(answerBytes(one, [], packet.TRUNCATED_RESPONSE)), many);
  expect(await addressesOf(resolverOf([server.endpoint]))).toEqual(many);
});

it('fails if an answer is truncated and nobody answers over TCP', async () => {
  const server = await serveNames((one) => one.answer(answerBytes(one, [], packet.TRUNCATED_RESPONSE)));
  expect(await addressesOf(resolverOf([server.endpoint]))).toBeUndefined();
});

it('asks the next server if one is silent, gone or fails, and that one first from then on', async () => {
  const silent = await serveNames(() => undefined);
  const good = await serveNames((one) => one.answer(answerBytes(one, ['192.0.2.1'])));
  const resolver = resolverOf([silent.endpoint, good.endpoint], 100);
  expect(await addressesOf(resolver)).toEqual(['192.0.2.1']);
  expect(await addressesOf(resolver)).toEqual(['192.0.2.1']);
  expect([silent.asked.length, good.asked.length]).toEqual([1, 2]);

  expect(await addressesOf(resolverOf([await nobody(), good.endpoint]))).toEqual(['192.0.2.1']);
  const failing = await serveNames((one) => one.answer(answerBytes(one, [], 2)));
  expect(await addressesOf(resolverOf([failing.endpoint, good.endpoint]))).toEqual(['192.0.2.1']);
});

it('asks the next server if no route leads to one', async () => {
  const good = await serveNames((one) => one.answer(answerBytes(one, ['192.0.2.1'])));
  // A link-local address without a device is nowhere.
  const resolver = resolverOf([{ address: 'fe80::1', port: 53 }, good.endpoint]);
  expect(await addressesOf(resolver)).toEqual(['192.0.2.1']);
  expect(await addressesOf(resolverOf([{ address: 'fe80::1', port: 53 }]))).toBeUndefined();
});

it('asks a single server twice if it is silent, and once if it fails', async () => {
  const silent = await serveNames(() => undefined);
  expect(await resolverOf([silent.endpoint], 50).ask(asked('a.test'), 'a')).toBeUndefined();
  expect(silent.asked.length).toBe(2);
  const failing = await serveNames((one) => one.answer(answerBytes(one, [], 2)));
  expect((await resolverOf([failing.endpoint]).ask(asked('a.test'), 'a'))?.rcode).toBe(2);
  expect(failing.asked.length).toBe(1);
});

it('answers nothing without servers, and asks new ones when they change', async () => {
  const good = await serveNames((one) => one.answer(answerBytes(one, ['192.0.2.1'])));
  let servers: readonly Endpoint[] = [];
  const resolver = new UpstreamResolver({ servers: () => servers, slots: new FairSlots(1), limit: 20_000 });
  expect(await addressesOf(resolver)).toBeUndefined();
  servers = [good.endpoint];
  expect(await addressesOf(resolver)).toEqual(['192.0.2.1']);
});
