/**
 * The controller as a service in Consul, with a TTL check: whoever watches Consul sees on which hosts
 * a controller runs, and whether it is healthy.
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
  /** This host; with the name it is the id of the service. */
  readonly node: string;
  readonly version: string;
}

/** Without a heartbeat for so long, Consul calls the controller critical. */
const TTL = '45s';
/** A host that is gone for this long is forgotten. */
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
    // The package's types ask for `timeout` as well, and Consul is not told it.
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
