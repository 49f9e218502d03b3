/**
 * Three servers, client agents, a catalog and keys, and the hosts of a fleet: each a controller's watches
 * behind a meter, spread over the agents.
 */
import { type Consul, startConsul } from '../../../lab/consul.ts';
import { waitFor } from '../../../lab/wait.ts';
import type { Watched } from '../../../src/inventory/sources.ts';
import { ConsulRuleSource } from '../../../src/sources/consul/rule-source.ts';
import { Meter } from '../../../test/support/meter.ts';
import { BareWatches } from './bare.ts';

export interface FleetSetup {
  readonly consul: Consul;
  readonly services: readonly string[];
  edit(): Promise<void>;
  registerOne(): Promise<void>;
  /** Writes every key, one after the other. Returns the beginning of the last key's text. */
  editAll(): Promise<string>;
}

export interface FleetOptions {
  readonly agents: number;
  readonly services: number;
  readonly keys: number;
}

const FOLDER = 'egress/acl/';
const LAST_KEY = 'last';

/** The watches of a controller, or the same by plain HTTP. */
export interface Watches {
  /** All watches have a value, and none has an error. */
  readonly isUpToDate: boolean;
  /** The last key's text begins with `beginning`. */
  hasText(beginning: string): boolean;
  close(): void;
}

export interface Host extends AsyncDisposable {
  /** Index of its agent. */
  readonly agent: number;
  readonly meter: Meter;
  readonly watches: Watches;
}

export async function openSetup({
  agents,
  services,
  keys,
}: FleetOptions): Promise<FleetSetup & AsyncDisposable> {
  const consul = await startConsul({ servers: 3, agents });
  const names = Array.from({ length: services }, (_, n) => `fleet-${n}`);
  let edits = 0;
  const put = (key: string) =>
    consul.call('PUT', `/v1/kv/${FOLDER}${key}`, `# ${edits}\n${ruleLines}\n${names.join('\n')}`);
  const register = (name: string) => consul.call('PUT', '/v1/catalog/register', registration(name, edits));
  const editAll = async () => {
    edits += 1;
    for (let n = 1; n < keys; n += 1) await put(`key-${n}`);
    await put(LAST_KEY);
    return `# ${edits}\n`;
  };
  await editAll();
  for (const name of names) await register(name);
  return {
    ...{ consul, services: names, editAll },
    edit: async () => {
      edits += 1;
      await put('key-1');
    },
    registerOne: async () => {
      edits += 1;
      await register(names[edits % names.length] ?? '');
    },
    [Symbol.asyncDispose]: () => consul.stop(),
  };
}

const ruleLines = Array.from({ length: 10 }, (_, n) => `10.0.${n}.0/24:tcp/80,443`).join('\n');

/** Three instances, one of which changes its port with each edit. */
const registration = (name: string, edit: number) => ({
  ...{ Node: `node-of-${name}`, Address: '10.1.0.1' },
  Service: {
    Service: name,
    ID: name,
    Address: '10.1.0.1',
    Port: 1024 + (edit % 60_000),
    Tags: ['production'],
  },
});

export type Kind = 'controllers' | 'bare queries';

/** Opens `count` hosts, and waits until all are up to date. */
export async function openHosts(setup: FleetSetup, kind: Kind, count: number): Promise<readonly Host[]> {
  const hosts = await Promise.all(Array.from({ length: count }, (_, index) => openHost(setup, kind, index)));
  await untilUpToDate(hosts);
  return hosts;
}

export async function closeHosts(hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
}

/** Waits until no watch has an error, and the last key's text begins with `beginning`. */
export const untilUpToDate = (hosts: readonly Host[], beginning = '# '): Promise<true> =>
  waitFor(() => hosts.every(({ watches }) => watches.isUpToDate && watches.hasText(beginning)), {
    what: 'all hosts to be up to date',
    timeout: 180_000,
  });

async function openHost(setup: FleetSetup, kind: Kind, index: number): Promise<Host> {
  const { agents } = setup.consul;
  const agent = index % agents.length;
  const from = `127.2.${index >> 8}.${(index & 255) + 1}`;
  const meter = await Meter.open({ to: agents[agent]?.address ?? '', from });
  const watches = openWatches[kind](meter.address, setup.services);
  const dispose = async () => {
    watches.close();
    await meter[Symbol.asyncDispose]();
  };
  return { agent, meter, watches, [Symbol.asyncDispose]: dispose };
}

const openWatches: Readonly<Record<Kind, (address: string, services: readonly string[]) => Watches>> = {
  controllers: (address, services) => {
    const source = new ConsulRuleSource({ address, kvPath: FOLDER });
    const refs = services.map((service) => ({ service, datacenter: undefined }));
    const rules = source.watchRules(() => {});
    const watches: readonly Watched<unknown>[] = [
      rules,
      ...refs.map((ref) => source.watchService(ref, () => {})),
    ];
    return {
      get isUpToDate() {
        return watches.every(({ value, error }) => value !== undefined && error === undefined);
      },
      hasText: (beginning) => rules.value?.get(LAST_KEY)?.startsWith(beginning) ?? false,
      close: () => source.close(),
    };
  },
  'bare queries': (address, services) =>
    new BareWatches(address, { folder: FOLDER, lastKey: LAST_KEY, services }),
};
