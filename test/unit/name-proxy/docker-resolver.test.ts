import packet from 'dns-packet';
import { expect, it } from 'vitest';
import { addressOf } from '../../../src/features/names/admission.ts';
import { DockerResolver } from '../../../src/name-proxy/docker-resolver.ts';
import { formatPrefix } from '../../../src/net/address.ts';
import { FakeSocket } from './fake-socket.ts';
import { asked } from './messages.ts';
import { answerBytes } from './name-servers.ts';

const DOCKER = ['127.0.0.11', 53] as const;

const setup = (limit?: number) => {
  const socket = new FakeSocket();
  const resolver = new DockerResolver(socket, limit);
  const ask = async (name: string) => {
    const answer = await resolver.ask(asked(name));
    return answer?.records.flatMap((record) => addressOf(record) ?? []).map(formatPrefix);
  };
  const questions = () =>
    socket.sent.map(({ bytes }) => {
      const { id = 0, questions: [one] = [] } = packet.decode(Buffer.from(bytes));
      return { id, name: one?.name ?? '' };
    });
  return { socket, resolver, ask, questions };
};

it('asks Docker’s resolver, and each answer goes to its question', async () => {
  const { socket, ask, questions } = setup();
  const both = [ask('a'), ask('b')];
  expect(socket.sent.map(({ address, port }) => [address, port])).toEqual([DOCKER, DOCKER]);
  for (const one of questions().toReversed())
    socket.receive(answerBytes(one, [one.name === 'a' ? '172.18.0.2' : '172.18.0.3']), ...DOCKER);
  expect(await Promise.all(both)).toEqual([['172.18.0.2'], ['172.18.0.3']]);
});

it('takes answers that are too long for other links, as there is none here to ask for over TCP', async () => {
  const { socket, ask, questions } = setup();
  const asking = ask('many');
  const [sent] = socket.sent.map(({ bytes }) => packet.decode(Buffer.from(bytes)));
  expect(sent?.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 16_384 }]);
  const [one = { id: 0, name: '' }] = questions();
  const addresses = Array.from({ length: 900 }, (_, index) => `172.18.${index >> 8}.${index & 255}`);
  const bytes = answerBytes(one, addresses);
  expect(bytes.length).toBeGreaterThan(14_000);
  socket.receive(bytes, ...DOCKER);
  expect((await asking)?.toSorted()).toEqual(addresses.toSorted());
});

it('ignores what others in the namespace send, and what fits no question', async () => {
  const { socket, ask, questions } = setup();
  const asking = ask('a');
  const [one = { id: 0, name: '' }] = questions();
  const forged = answerBytes(one, ['10.0.0.66']);
  socket.receive(forged, '127.0.0.1', 53);
  socket.receive(forged, '127.0.0.11', 54);
  socket.receive(answerBytes({ ...one, id: one.id ^ 1 }, ['10.0.0.66']), ...DOCKER);
  socket.receive(answerBytes({ ...one, name: 'b' }, ['10.0.0.66']), ...DOCKER);
  socket.receive(Uint8Array.of(1), ...DOCKER);
  socket.receive(answerBytes(one, ['172.18.0.2']), ...DOCKER);
  expect(await asking).toEqual(['172.18.0.2']);
});

it('has no answer if it is truncated, late, or cannot be asked for', async () => {
  const { socket, ask, questions } = setup(20);
  expect(await ask('a')).toBeUndefined();
  const asking = ask('b');
  const [, one = { id: 0, name: '' }] = questions();
  socket.receive(answerBytes(one, [], packet.TRUNCATED_RESPONSE), ...DOCKER);
  expect(await asking).toBeUndefined();
  socket.outcome = () => 'ENETUNREACH';
  expect(await ask('c')).toBeUndefined();
});

it('asks a bounded number of questions at once, and none after it is closed', async () => {
  const { socket, resolver, ask } = setup(60_000);
  const asking = Array.from({ length: 300 }, () => ask('a'));
  expect(socket.sent).toHaveLength(256);
  resolver.close();
  expect(await Promise.all(asking)).toEqual(asking.map(() => undefined));
});
