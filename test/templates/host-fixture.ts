/**
 * A host with two bridges and containers on them, and a caller outside: all in namespaces of their own.
 */
import { afterAll } from 'vitest';
import { createRoutingHost, type Namespace, type RoutingHost } from '../../lab/netns.ts';
import { canonicalHost, type HostClaims } from '../../src/features/host/canonical.ts';
import type { Bridge } from '../../src/features/host/model.ts';
import { loadHostTemplate, renderHost } from '../../src/features/host/render.ts';
import { bridge, NO_CLAIMS } from '../support/host-claims.ts';
import { type Agent, startAgent } from './agents.ts';
import { netns } from './fixture.ts';

export interface HostFixture extends Omit<RoutingHost, 'dispose'> {
  readonly agents: Readonly<Record<'host' | 'outside' | 'a1' | 'a2' | 'b1', Agent>>;
}

/** Served everywhere but on the host. */
export const PORT = 8080;

/** For the tests of one file: it goes when they have ended. */
export async function useHost(): Promise<HostFixture> {
  const { host, outside, containers, dispose } = await createRoutingHost();
  const agents = {
    ...{ host: startAgent(host), outside: startAgent(outside) },
    ...{ a1: startAgent(containers.a1), a2: startAgent(containers.a2), b1: startAgent(containers.b1) },
  };
  afterAll(async () => {
    await Promise.all(Object.values(agents).map((agent) => agent[Symbol.asyncDispose]()));
    await dispose();
  });
  const { host: _, ...serving } = agents;
  for (const port of [PORT, PORT + 1])
    await Promise.all(Object.values(serving).map((agent) => agent.serve(port)));
  return { host, outside, containers, agents };
}

export const BRIDGES: readonly Bridge[] = [
  bridge('br-a', '172.29.1.0/24', '2001:db8:a::/64'),
  bridge('br-b', '172.29.2.0/24', '2001:db8:b::/64'),
];

const template = loadHostTemplate();

export const hostText = (claims: Partial<HostClaims>): string => {
  const { rules } = canonicalHost({ ...NO_CLAIMS, bridges: BRIDGES, ...claims });
  return renderHost(template, rules).text;
};

/** A text that does not load, or not without complaint, fails the test. */
export async function loadHost(host: Namespace, claims: Partial<HostClaims>): Promise<void> {
  const { exitCode, stderr } = await netns(host, 'load host', hostText(claims));
  if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
}

export const SUBNETS = {
  ipv4: ['172.29.1.0/24', '172.29.2.0/24'],
  ipv6: ['2001:db8:a::/64', '2001:db8:b::/64'],
};

/** As Docker 28 has it: nothing comes in but to published ports, and what leaves has the host's address. */
export const dockerRules = ({ a1, b1 }: HostFixture['containers'], family: 'ipv4' | 'ipv6'): string => `*raw
-A PREROUTING -d ${a1[family]} ! -i br-a -j DROP
-A PREROUTING -d ${b1[family]} ! -i br-b -j DROP
COMMIT
*nat
-A POSTROUTING -s ${SUBNETS[family][0]} ! -o br-a -j MASQUERADE
-A POSTROUTING -s ${SUBNETS[family][1]} ! -o br-b -j MASQUERADE
COMMIT
*filter
:FORWARD DROP
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -o eth0 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;
