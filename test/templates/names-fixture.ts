/**
 * The three namespaces of the tests, with rules by name in the first one, and a stand-in for the proxy: its sockets are
 * there, answer each question with "ours", and send grants. What its policy says is no matter of the kernel's.
 */
import { afterAll } from 'vitest';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import type { RenderInput } from '../../src/features/egress/context.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { type HeldAddresses, type NameFacts, NOTHING_HELD } from '../../src/features/egress/name-facts.ts';
import type { GrantElement } from '../../src/features/names/grant.ts';
import { GrantSender } from '../../src/name-proxy/grant-sender.ts';
import { type NameSockets, openSockets } from '../../src/name-proxy/open-sockets.ts';
import { prepareCgroup } from '../../src/name-proxy/proxy-cgroup.ts';
import { numbersOf, portClasses } from '../../src/policy/port-classes.ts';
import { address, nameRule } from '../unit/features/names/names.ts';
import { type Fixture, netns, PORT, useFixture } from './fixture.ts';
import { renderWith } from './rules.ts';

export const OURS = 'ours';
export const SECRET = '00112233445566778899aabbccddeeff';
export const TCP = `tcp/${PORT}`;
export const UDP = `udp/${PORT}`;

export const CLASSES = portClasses([TCP, UDP].map((ports) => nameRule(`a.test:${ports}`)));
export const NUMBERS = numbersOf(CLASSES);

/** Docker's resolver: its socket at a port of its own, and the rule that leads port 53 to it. */
export const DOCKER_PORT = 4053;
export const DOCKER_RULES = `table ip docker_test {
  chain output {
    type nat hook output priority -100;
    ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:${DOCKER_PORT}
  }
}
`;

export interface LoadedNames {
  readonly input?: Partial<RenderInput>;
  readonly resolvers?: readonly string[];
  readonly secret?: string;
  readonly held?: Partial<HeldAddresses>;
  /** Of `netns`. */
  readonly command?: 'load' | 'begin' | 'reload';
  /** Takes something out of the text, to see what it is for. */
  readonly edit?: (text: string) => string;
}

export interface NamesFixture extends Fixture {
  readonly sockets: NameSockets;
  readonly sender: GrantSender;
  readonly facts: NameFacts;
  /** Loads rules by name with these facts, and has the sender use them. Returns what `netns` prints. */
  loadNames(what?: LoadedNames): Promise<string>;
  /** Whether the kernel took it. */
  grant(to: string, portClass?: string, seconds?: number): Promise<boolean>;
  remove(to: string, portClass?: string): Promise<boolean>;
  /** The first 16 bytes of each message that came to the proxy since the last call. */
  arrived(): readonly string[];
  /** Forgets all flows, and all that questions were answered with. */
  reset(): Promise<void>;
}

const element = (to: string, portClass: string): GrantElement => ({ portClass, address: address(to) });

export const held = (to: string, portClass = TCP, seconds = 60) => ({
  ...{ number: NUMBERS.get(portClass) ?? 0, address: address(to), seconds },
});

export async function useNames(): Promise<NamesFixture> {
  const fixture = await useFixture();
  const { workload } = fixture;
  const cgroup = prepareCgroup();
  const ref: NamespaceRef = {
    ...{ name: workload.name, sandbox: `/run/netns/${workload.name}`, pid: 2 ** 22 + 1, containerId: 'none' },
    startedAt: new Date().toISOString(),
  };
  const sockets = await openSockets(ref, { cgroup: cgroup.processes });
  const arrived: string[] = [];
  for (const one of sockets.udp)
    one.on('message', (message, from) => {
      arrived.push(Buffer.from(message).subarray(0, 16).toString('hex'));
      one.send(Buffer.from(OURS), from.port, from.address, () => {});
    });
  for (const one of sockets.tcp) {
    // Nobody is served before somebody says how many.
    one.maxConnections = 100;
    one.on('connection', (client) => client.on('error', () => {}).on('data', () => client.end(OURS)));
  }
  const sender = new GrantSender(sockets.grants);
  const docker = { port: sockets.dockerPort, cgroup: { path: cgroup.path, level: cgroup.level } };
  const facts: NameFacts = { secret: SECRET, port: sockets.port, docker };
  afterAll(() => sockets.close());
  const sent = (send: (then: (isTaken: boolean) => void) => void): Promise<boolean> => new Promise(send);
  return {
    ...fixture,
    ...{ sockets, sender, facts, arrived: () => arrived.splice(0) },
    async loadNames({ input = {}, resolvers = [], secret = SECRET, held = {}, ...how } = {}) {
      const { command = 'load', edit = (text) => text } = how;
      const { text } = renderWith('nftables', { dns: 'names', classes: CLASSES, resolvers, ...input });
      const all = { resolvers, attachments: [], names: { ...facts, secret } };
      const complete = withFacts(text, all, { ...NOTHING_HELD, ...held });
      const { exitCode, stdout, stderr } = await netns(workload, `${command} egress`, edit(complete));
      if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
      sender.use({ secret: Buffer.from(secret, 'hex'), numbers: NUMBERS });
      return stdout;
    },
    grant: (to, portClass = TCP, timeout = 60) =>
      sent((then) => sender.grant([{ ...element(to, portClass), grant: timeout, timeout }], then)),
    remove: (to, portClass = TCP) => sender.remove(element(to, portClass)),
    async reset() {
      await netns(workload, 'clear');
      await workload.run('conntrack', ['-F'], { reject: false });
      await fixture.agents.workload.close();
      for (const agent of Object.values(fixture.agents)) await agent.received();
      arrived.length = 0;
    },
  };
}
