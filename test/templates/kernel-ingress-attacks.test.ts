/**
 * Attacks on ingress rules by packets: what a caller that no rule names may send, from the same bridge and from outside.
 * Each packet is first seen to reach the container without rules.
 */
import { expect, it } from 'vitest';
import { netns } from './fixture.ts';
import { PORT } from './host-fixture.ts';
import { useAttackers } from './ingress-attackers.ts';
import { type Attempt, attempts } from './ingress-attempts.ts';

const { agents, containers, attack, placesOf, delivered, admit } = await useAttackers();
const { a1: guarded, b1: friend } = containers;
const LONG = { timeout: 300_000 };

async function send({ from, send }: Attempt): Promise<void> {
  for (const step of send(placesOf(from))) await attack(from, step);
}

const named = ({ name, from }: Attempt): string => `${from}: ${name}`;

it('without rules each attempt reaches the container', LONG, async () => {
  await netns(guarded, 'clear');
  for (const one of attempts) {
    const before = await delivered();
    await send(one);
    await expect.poll(delivered, { message: named(one), timeout: 10_000 }).toBeGreaterThan(before);
  }
});

it('under rules only what is said to be open reaches it', LONG, async () => {
  const lines = ['tcp', 'udp'].map((one) => [
    `${friend.ipv4}:${one}/${PORT}`,
    `[${friend.ipv6}]:${one}/${PORT}`,
  ]);
  await admit(lines.flat());
  const askAsFriend = () => agents.b1.ask(guarded.ipv4, PORT, 4100);
  await expect.poll(askAsFriend, { timeout: 20_000 }).toBe('hello');
  const start = await delivered();
  const closed = attempts.filter(({ openReason }) => openReason === undefined);
  const through: Attempt[] = [];
  for (const one of closed) {
    const before = await delivered();
    await send(one);
    if ((await delivered()) > before) through.push(one);
  }
  expect(through.map(named)).toEqual([]);
  // None of them came later, while the next was counted.
  expect(await askAsFriend()).toBe('hello');
  expect((await delivered()) - start).toBe(1);
  for (const one of attempts.filter((each) => !closed.includes(each))) {
    const before = await delivered();
    await send(one);
    await expect.poll(delivered, { message: named(one), timeout: 10_000 }).toBeGreaterThan(before);
  }
});
