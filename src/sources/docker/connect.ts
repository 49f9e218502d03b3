/**
 * The Engine's API over dockerode.
 *
 * The library also sends the body of a create request as its query, unless both are given separately. requests.ts and
 * path-names.ts handle its other pitfalls.
 */
import type { Agent } from 'node:http';
import { Duplex, Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Network, NetworkId } from '../../inventory/network.ts';
import { type EngineAddress, type EngineOptions, engineAddress } from './address.ts';
import { exitCodeFrom, imageFrom, imageNamesFrom, infoFrom, labelledFrom, runningFrom } from './answers.ts';
import { agentFor, client } from './client.ts';
import type {
  Engine,
  EngineInfo,
  ImageSummary,
  LabelledContainer,
  Platform,
  RunningContainer,
} from './engine.ts';
import { EngineAnswerError, isHttpError } from './errors.ts';
import { networkFrom, networksFrom } from './networks.ts';
import { containerName, imageName, networkName } from './path-names.ts';
import { pullFinished } from './pull.ts';
import { asReadable, EngineRequests } from './requests.ts';
import { LIST_SELECTION, NETWORK_SELECTION, SERVICE_SELECTION, selectedStream } from './selected-fields.ts';

/** Milliseconds. */
const limits = { request: 30_000, start: 60_000, pull: 600_000 };

/** The end of a tar archive: two empty blocks. */
const EMPTY_TAR = Buffer.alloc(1024);

/** What concerns networks, or a container's network; exec, health and such are not even sent to us. */
const EVENT_FILTERS = JSON.stringify({
  type: ['container', 'network'],
  event: [
    ...['start', 'restart', 'die', 'stop', 'destroy', 'pause', 'unpause', 'rename', 'update'],
    ...['connect', 'disconnect', 'create', 'remove'],
  ],
});

/** Does not connect yet: the first call does. Throws an `EngineError` for an address it cannot read. */
export function connect(options: EngineOptions = {}, requestLimit: number = limits.request): Engine {
  const address = engineAddress(options);
  return new DockerodeEngine(address, requestLimit);
}

class DockerodeEngine implements Engine {
  readonly address: string;
  readonly #docker: Dockerode;
  readonly #agent: Agent;
  readonly #requests: EngineRequests;

  constructor(address: EngineAddress, requestLimit: number) {
    this.address = address.text;
    this.#agent = agentFor(address);
    this.#docker = client(address, this.#agent);
    this.#requests = new EngineRequests(this.#docker, this.address, requestLimit);
  }

  async info(): Promise<EngineInfo> {
    const what = 'tell what it is';
    return infoFrom(await this.#requests.json('/info', what), what);
  }

  async running(): Promise<readonly RunningContainer[]> {
    const what = 'list the containers';
    return runningFrom(await this.#requests.json('/containers/json', what, LIST_SELECTION), what);
  }

  async inspect(id: string, withServices = false): Promise<unknown> {
    const selection = withServices ? SERVICE_SELECTION : undefined;
    return this.#requests.json(`/containers/${containerName(id)}/json`, `inspect container ${id}`, selection);
  }

  async networks(): Promise<readonly Network[]> {
    const what = 'list the networks';
    return networksFrom(await this.#requests.json('/networks', what, NETWORK_SELECTION), what);
  }

  async network(id: NetworkId): Promise<Network | undefined> {
    const what = `inspect network ${id}`;
    const path = `/networks/${networkName(id)}`;
    return unlessMissing(async () =>
      networkFrom(await this.#requests.json(path, what, NETWORK_SELECTION), what),
    );
  }

  async createNetwork(body: object): Promise<void> {
    await this.#requests.call('create a network', (abortSignal) => {
      const options = { _query: {}, _body: body, abortSignal };
      return this.#docker.createNetwork({ Name: '', ...options });
    });
  }

  async connectNetwork(network: string, body: object): Promise<void> {
    await this.#requests.call(`attach a container to the network ${network}`, (abortSignal) => {
      const options = { _query: {}, _body: body, abortSignal };
      return this.#docker.getNetwork(networkName(network)).connect({ Container: '', ...options });
    });
  }

  async events(since: number): Promise<Readable> {
    const stream = await this.#requests.call('watch events', (abortSignal) =>
      this.#docker.getEvents({ since, filters: EVENT_FILTERS, abortSignal }),
    );
    return selectedStream(asReadable(stream, 'watch events'));
  }

  async archive(id: string, path: string): Promise<Readable> {
    const stream = await this.#requests.call(`read ${path} of container ${id}`, (abortSignal) =>
      this.#container(id).getArchive({ path, abortSignal }),
    );
    return asReadable(stream, `read ${path}`);
  }

  async create(name: string, body: object): Promise<string> {
    const created = await this.#requests.call('create a helper container', (abortSignal) => {
      const options = { _query: { name }, _body: body, abortSignal };
      return this.#docker.createContainer(options);
    });
    return created.id;
  }

  async attach(id: string, stdin: boolean): Promise<Duplex> {
    const options = { stream: true, hijack: true, stdin, stdout: true, stderr: true };
    const stream = await this.#requests.call(`attach to container ${id}`, (abortSignal) =>
      this.#container(id).attach({ ...options, abortSignal }),
    );
    if (stream instanceof Duplex) return stream;
    throw new EngineAnswerError(`The Docker Engine did not attach to container ${id} as expected.`);
  }

  async start(id: string): Promise<void> {
    await this.#requests.call(
      `start container ${id}`,
      (abortSignal) => this.#container(id).start({ abortSignal }),
      limits.start,
    );
  }

  async wait(id: string, limit: number): Promise<number> {
    const what = `wait for container ${id}`;
    const answer = await this.#requests.call(
      what,
      (abortSignal) => this.#container(id).wait({ abortSignal }),
      limit,
    );
    return exitCodeFrom(answer, what);
  }

  async remove(id: string): Promise<void> {
    const options = { force: true, v: true };
    try {
      await this.#requests.call(`remove container ${id}`, (abortSignal) =>
        this.#container(id).remove({ ...options, abortSignal }),
      );
    } catch (error) {
      if (isHttpError(error, 404)) return;
      if (isHttpError(error, 409) && error.detail.includes('already in progress')) return;
      throw error;
    }
  }

  async all(label?: string): Promise<readonly LabelledContainer[]> {
    const what = 'list the containers';
    const filters = label === undefined ? {} : { label: [label] };
    const query = new URLSearchParams({ all: '1', filters: JSON.stringify(filters) });
    return labelledFrom(await this.#requests.json(`/containers/json?${query}`, what), what);
  }

  async image(name: string, platform?: Platform): Promise<ImageSummary | undefined> {
    const what = `inspect image ${name}`;
    const query =
      platform === undefined ? '' : `?${new URLSearchParams({ platform: JSON.stringify(platform) })}`;
    return unlessMissing(async () =>
      imageFrom(await this.#requests.json(`/images/${imageName(name)}/json${query}`, what), what),
    );
  }

  async pull(name: string): Promise<void> {
    const what = `pull image ${name}`;
    await this.#requests.call(
      what,
      async (abortSignal) => {
        const options = { abortSignal };
        const progress = await this.#docker.pull(name, options);
        await pullFinished(asReadable(progress, what), name);
      },
      limits.pull,
    );
  }

  async importEmpty(name: string): Promise<void> {
    const what = `make the empty image ${name}`;
    await this.#requests.call(what, async (abortSignal) => {
      const archive = Readable.from([EMPTY_TAR]);
      const options = { repo: name, changes: 'LABEL egresstrator.empty=1', abortSignal };
      await pullFinished(asReadable(await this.#docker.importImage(archive, options), what), name);
    });
  }

  async namesOfImages(label: string): Promise<readonly string[]> {
    const what = 'list the images';
    const query = new URLSearchParams({ filters: JSON.stringify({ label: [label] }) });
    return imageNamesFrom(await this.#requests.json(`/images/json?${query}`, what), what);
  }

  async removeImage(name: string): Promise<void> {
    const what = `remove image ${name}`;
    await this.#requests.call(what, (abortSignal) =>
      this.#docker.getImage(imageName(name)).remove({ abortSignal }),
    );
  }

  close(): void {
    this.#agent.destroy();
  }

  #container(id: string): Dockerode.Container {
    return this.#docker.getContainer(containerName(id));
  }
}

async function unlessMissing<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (isHttpError(error, 404)) return undefined;
    throw error;
  }
}
