import { describe, expect, it } from 'vitest';
import { GrantSender } from '../../../src/name-proxy/grant-sender.ts';
import { aliveDatagram, grantDatagram, removeDatagram } from '../../../src/policy/name-seal.ts';
import { address } from '../features/names/names.ts';
import { FakeSocket } from './fake-socket.ts';

const SECRET = new Uint8Array(16).fill(7);
const NUMBERS = new Map([
  ['tcp/443', 0],
  ['tcp/80', 3],
]);
const TO = address('192.0.2.1');

const setup = (outcome: string | undefined = 'EPERM') => {
  const socket = new FakeSocket();
  socket.outcome = () => outcome;
  const sender = new GrantSender(socket.grantsTo(5_353));
  sender.use({ secret: SECRET, numbers: NUMBERS });
  const grant = (portClass: string, timeout: number) =>
    new Promise((resolve) => {
      sender.grant([{ portClass, address: TO, grant: timeout, timeout }], resolve);
    });
  return { socket, sender, grant };
};
const bytes = ({ sent }: FakeSocket) => sent.map((one) => one.bytes);

describe('a grant', () => {
  it('goes to the proxy’s own address, and is taken if a rule drops it', async () => {
    const { socket, grant } = setup();
    expect(await grant('tcp/80', 360)).toBe(true);
    expect(socket.sent).toEqual([
      { bytes: grantDatagram(SECRET, 3, TO, 360), address: '127.83.83.53', port: 5_353 },
    ]);
  });

  it.each([undefined, 'ENETUNREACH', 'EAGAIN'])('is not taken with the outcome %s', async (outcome) => {
    const socket = new FakeSocket();
    socket.outcome = () => outcome;
    const sender = new GrantSender(socket.grantsTo(1));
    sender.use({ secret: SECRET, numbers: NUMBERS });
    const taken = new Promise((resolve) => {
      sender.grant([{ portClass: 'tcp/443', address: TO, grant: 60, timeout: 60 }], resolve);
    });
    expect(await taken).toBe(false);
  });

  it('is not sent without a class in the text, or without a text', async () => {
    const { socket, sender, grant } = setup();
    expect(await grant('udp/53', 60)).toBe(false);
    sender.use(undefined);
    expect(await grant('tcp/443', 60)).toBe(false);
    expect(socket.sent).toEqual([]);
  });

  it('of several is taken only if all are', async () => {
    const { socket, sender } = setup();
    socket.outcome = ({ bytes: [first = 0, ...rest] }) =>
      rest[16] === 3 ? (first === 7 ? undefined : 'EPERM') : 'EPERM';
    const grants = ['tcp/443', 'tcp/80'].map((portClass) => ({
      ...{ portClass, address: TO, grant: 60, timeout: 60 },
    }));
    expect(await new Promise((resolve) => sender.grant(grants, resolve))).toBe(false);
  });

  it('does not end a longer one that is on its way', async () => {
    const { socket, grant } = setup();
    await Promise.all([grant('tcp/443', 600), grant('tcp/443', 60), grant('tcp/80', 60)]);
    await grant('tcp/443', 60);
    expect(bytes(socket)).toEqual([
      grantDatagram(SECRET, 0, TO, 600),
      grantDatagram(SECRET, 0, TO, 600),
      grantDatagram(SECRET, 3, TO, 60),
      grantDatagram(SECRET, 0, TO, 60),
    ]);
  });
});

it('is idle when the last grant has ended, and what was done then', async () => {
  const { sender } = setup();
  const done: string[] = [];
  await sender.idle();
  const grants = [{ portClass: 'tcp/443', address: TO, grant: 60, timeout: 60 }];
  sender.grant(grants, () => done.push('first'));
  sender.grant(grants, () => done.push('second'));
  await sender.idle();
  expect(done).toEqual(['first', 'second']);
});

describe('a removal', () => {
  it('is done when a rule has dropped it', async () => {
    const { socket, sender } = setup();
    expect(await sender.remove({ portClass: 'tcp/80', address: TO })).toBe(true);
    expect(bytes(socket)).toEqual([removeDatagram(SECRET, 3, TO)]);
    socket.outcome = () => undefined;
    expect(await sender.remove({ portClass: 'tcp/80', address: TO })).toBe(false);
  });

  it('has nothing to do where the text has no such class, and waits without a text', async () => {
    const { socket, sender } = setup();
    expect(await sender.remove({ portClass: 'udp/53', address: TO })).toBe(true);
    sender.use(undefined);
    expect(await sender.remove({ portClass: 'tcp/80', address: TO })).toBe(false);
    expect(socket.sent).toEqual([]);
  });
});

it('says that it is there, and knows its secret again', async () => {
  const { socket, sender } = setup();
  expect(await sender.sayAlive()).toBe(true);
  expect(bytes(socket)).toEqual([aliveDatagram(SECRET)]);
  expect(sender.isSealed(grantDatagram(SECRET, 0, TO, 1))).toBe(true);
  expect(sender.isSealed(grantDatagram(new Uint8Array(16), 0, TO, 1))).toBe(false);
  expect(sender.isSealed(SECRET.subarray(0, 15))).toBe(false);
  sender.use(undefined);
  expect(sender.isSealed(grantDatagram(SECRET, 0, TO, 1))).toBe(false);
});
