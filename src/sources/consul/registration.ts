/**
 * Registers the controller as a service in Consul, with a TTL check, to show on which hosts a controller runs and
 * whether it is healthy.
 *
 * Needs `service "egresstrator" { policy = "write" }`. Without it the controller works all the same.
 */
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';

export interface Health {
  readonly status: 'passing' | 'warning';
  /** One line for people. */
  readonly output: string;
}

export interface Identity {
  /** The service's name. */
  readonly service: string;
  /** The name of this host; with the service's name it forms the id of the service. */
  readonly node: string;
  readonly version: string;
}

/** After this time without a heartbeat, Consul marks the controller as critical. */
const TTL = '45s';
/** After this time without a heartbeat, Consul removes the service. */
const FORGET = '72h';

export class Registration {
  readonly #client: ConsulClient;
  readonly #identity: Identity;
  readonly #id: string;
  #registered = false;

  constructor(options: ConsulOptions, identity: Identity) {
    this.#client = new ConsulClient(settingsOf(options));
    this.#identity = identity;
    this.#id = `${identity.service}-${identity.node}`;
  }

  /** Renews the TTL check. An agent that has lost the registration rejects this; the next heartbeat registers again. */
  async heartbeat({ status, output }: Health): Promise<void> {
    if (!this.#registered) await this.#register(status);
    this.#registered = false;
    await this.#client.send({ what: 'a heartbeat' }, ({ agent: { check } }, common) => {
      const update = { ...common, id: `service:${this.#id}`, note: output };
      return status === 'passing' ? check.pass(update) : check.warn(update);
    });
    this.#registered = true;
  }

  async close(): Promise<void> {
    if (this.#registered) await deregister(this.#client, this.#id);
    this.#client.close();
  }

  async #register(status: Health['status']): Promise<void> {
    const { service: name, node, version } = this.#identity;
    // The package's types require `timeout`, which Consul does not use.
    const check = {
      ...{ name: `${name} is healthy`, ttl: TTL, timeout: TTL, status },
      deregistercriticalserviceafter: FORGET,
    };
    const service = { id: this.#id, name, meta: { version, node }, check };
    await this.#client.send({ what: 'the registration' }, ({ agent }, common) =>
      agent.service.register({ ...common, ...service }),
    );
  }
}

export async function deregister(client: ConsulClient, id: string): Promise<void> {
  await client.send({ what: `the deregistration of ${id}` }, ({ agent }, common) =>
    agent.service.deregister({ ...common, id }),
  );
}
