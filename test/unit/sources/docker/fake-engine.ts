/**
 * An Engine in memory: for failures and orders of events that cannot be provoked from a real one. What it
 * does not need to do, it refuses.
 */
import { PassThrough, type Readable } from 'node:stream';
import type { Network } from '../../../../src/inventory/network.ts';
import type { Engine, RunningContainer } from '../../../../src/sources/docker/engine.ts';
import { EngineHttpError, EngineUnreachable } from '../../../../src/sources/docker/errors.ts';

export class FakeEngine implements Engine {
  readonly address = 'unix:///fake.sock';
  /** Container id → its name. All run. */
  readonly names = new Map<string, string>();
  /** Those that were started less than two minutes ago. */
  readonly fresh = new Set<string>();
  /** Inspecting these fails, or takes as long as the promise. */
  readonly trouble = new Map<string, Error | Promise<void>>();
  /** By id. Listing or inspecting them fails where this is an error. */
  ofNetworks: Map<string, Network> | Error = new Map();
  /** Of each container: network's name → the inspection's entry. */
  attachments: object = {};
  /** What is said to each of them, as `NAME=value`. */
  environment: readonly string[] = [];
  /** What was asked, in order. */
  readonly calls: string[] = [];
  down = false;
  /** Called when the list has been made and before it is answered. */
  whileListing: () => void = () => {};
  #stream: PassThrough | undefined;

  async running(): Promise<readonly RunningContainer[]> {
    this.#answer('list');
    const listed = [...this.names].map(([id, name]) => ({
      id,
      digest: name,
      isSettled: !this.fresh.has(id),
    }));
    this.whileListing();
    return listed;
  }

  async inspect(id: string): Promise<unknown> {
    this.#answer(`inspect ${id}`);
    const trouble = this.trouble.get(id);
    if (trouble instanceof Error) throw trouble;
    await trouble;
    const full = [...this.names.keys()].find((known) => known.startsWith(id)) ?? id;
    const name = this.names.get(full);
    if (name === undefined) throw httpError(404, `No such container: ${id}`);
    const NetworkSettings = { Networks: this.attachments };
    return { ...inspected(full, name), NetworkSettings, Config: { Env: this.environment } };
  }

  async networks(): Promise<readonly Network[]> {
    this.#answer('list networks');
    return [...this.#networks().values()];
  }

  async network(id: string): Promise<Network | undefined> {
    this.#answer(`inspect network ${id}`);
    return this.#networks().get(id);
  }

  async events(): Promise<Readable> {
    this.#answer('events');
    this.#stream = new PassThrough();
    return this.#stream;
  }

  /** Sends text over the stream of events, as it is. */
  say(text: string): void {
    this.#stream?.write(text);
  }

  tell(action: string, id: string): void {
    this.say(`${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id } })}\n`);
  }

  cut(): void {
    this.#stream?.end();
  }

  start(id: string): Promise<void> {
    return notFaked(id);
  }
  createNetwork: Engine['createNetwork'] = () => notFaked('create a network');
  connectNetwork: Engine['connectNetwork'] = () => notFaked('attach to a network');
  info: Engine['info'] = () => notFaked('info');
  archive: Engine['archive'] = notFaked;
  create: Engine['create'] = notFaked;
  attach: Engine['attach'] = notFaked;
  wait: Engine['wait'] = notFaked;
  remove: Engine['remove'] = notFaked;
  all: Engine['all'] = notFaked;
  image: Engine['image'] = notFaked;
  pull: Engine['pull'] = notFaked;
  importEmpty: Engine['importEmpty'] = notFaked;
  namesOfImages: Engine['namesOfImages'] = notFaked;
  removeImage: Engine['removeImage'] = notFaked;
  close(): void {}

  #networks(): ReadonlyMap<string, Network> {
    if (this.ofNetworks instanceof Error) throw this.ofNetworks;
    return this.ofNetworks;
  }

  #answer(call: string): void {
    this.calls.push(call);
    if (this.down) throw new EngineUnreachable('The Engine is down.');
  }
}

export const httpError = (status: number, detail: string): EngineHttpError =>
  new EngineHttpError(`The Docker Engine could not: ${detail}`, { status, detail });

const notFaked = (what: string): Promise<never> => Promise.reject(httpError(500, `not here: ${what}`));

const inspected = (Id: string, name: string) => ({
  Id,
  Name: `/${name}`,
  Image: 'sha256:0',
  State: { Running: true, Pid: 100, StartedAt: '2026-01-01T00:00:00Z' },
  HostConfig: { NetworkMode: 'default' },
  Config: {},
});
