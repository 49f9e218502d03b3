/**
 * The Engine's API over dockerode.
 *
 * Traps of the library that are handled here: it sends the body of a create also as its query, puts ids
 * into paths as they are, and never answers for a response that is cut (deadline.ts).
 */
import type { Agent } from 'node:http';
import { Duplex, Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { type EngineAddress, type EngineOptions, engineAddress } from './address.ts';
import {
  imageSchema,
  imagesSchema,
  infoFrom,
  infoSchema,
  listSchema,
  read,
  runningFrom,
  runningSchema,
  waitSchema,
} from './answers.ts';
import { agentFor, client } from './client.ts';
import { withDeadline } from './deadline.ts';
import type {
  Engine,
  EngineInfo,
  ImageSummary,
  LabelledContainer,
  Platform,
  RunningContainer,
} from './engine.ts';
import { EngineAnswerError, EngineHttpError, engineError, isRefusal } from './errors.ts';
import type { Selection } from './json-sieve.ts';
import { pullFinished } from './pull.ts';
import { LIST_SELECTION, readSelected, selectedStream } from './selected-fields.ts';

/** Milliseconds. */
const limits = { request: 30_000, start: 60_000, pull: 600_000 };

/** An archive's end: two blocks of nothing. */
const EMPTY_TAR = Buffer.alloc(1024);

/** What concerns a container's network; exec, health and such are not even sent to us. */
const eventFilters = JSON.stringify({
  type: ['container', 'network'],
  event: [
    ...['start', 'restart', 'die', 'stop', 'destroy', 'pause', 'unpause', 'rename', 'update'],
    ...['connect', 'disconnect'],
  ],
});

/** Does not connect yet: the first call does. Throws an `EngineError` for an address it cannot read. */
export function connect(options: EngineOptions = {}, requestLimit: number = limits.request): Engine {
  const address = engineAddress(options);
  return new DockerodeEngine(address, { ...limits, request: requestLimit });
}

class DockerodeEngine implements Engine {
  readonly address: string;
  readonly #docker: Dockerode;
  readonly #agent: Agent;
  readonly #limits: typeof limits;

  constructor(address: EngineAddress, requestLimits: typeof limits) {
    this.address = address.text;
    this.#limits = requestLimits;
    this.#agent = agentFor(address);
    this.#docker = client(address, this.#agent);
  }

  async info(): Promise<EngineInfo> {
    const what = 'tell what it is';
    return infoFrom(read(infoSchema, await this.#get('/info', what), what));
  }

  async running(): Promise<readonly RunningContainer[]> {
    const what = 'list the containers';
    return read(runningSchema, await this.#get('/containers/json', what, LIST_SELECTION), what).map(
      runningFrom,
    );
  }

  async inspect(id: string): Promise<unknown> {
    return this.#get(`/containers/${containerName(id)}/json`, `inspect container ${id}`);
  }

  async events(since: number): Promise<Readable> {
    const stream = await this.#call('watch events', (abortSignal) =>
      this.#docker.getEvents({ since, filters: eventFilters, abortSignal }),
    );
    return selectedStream(asReadable(stream, 'watch events'));
  }

  async archive(id: string, path: string): Promise<Readable> {
    const stream = await this.#call(`read ${path} of container ${id}`, (abortSignal) =>
      this.#container(id).getArchive({ path, abortSignal }),
    );
    return asReadable(stream, `read ${path}`);
  }

  async create(name: string, body: object): Promise<string> {
    const created = await this.#call('create a helper container', (abortSignal) => {
      const options = { _query: { name }, _body: body, abortSignal };
      return this.#docker.createContainer(options);
    });
    return created.id;
  }

  async attach(id: string, stdin: boolean): Promise<Duplex> {
    const options = { stream: true, hijack: true, stdin, stdout: true, stderr: true };
    const stream = await this.#call(`attach to container ${id}`, (abortSignal) =>
      this.#container(id).attach({ ...options, abortSignal }),
    );
    if (stream instanceof Duplex) return stream;
    throw new EngineAnswerError(`The Docker Engine did not attach to container ${id} as expected.`);
  }

  async start(id: string): Promise<void> {
    await this.#call(
      `start container ${id}`,
      (abortSignal) => this.#container(id).start({ abortSignal }),
      this.#limits.start,
    );
  }

  async wait(id: string, limit: number): Promise<number> {
    const what = `wait for container ${id}`;
    const answer = await this.#call(what, (abortSignal) => this.#container(id).wait({ abortSignal }), limit);
    return read(waitSchema, answer, what).StatusCode;
  }

  async remove(id: string): Promise<void> {
    const options = { force: true, v: true };
    try {
      await this.#call(`remove container ${id}`, (abortSignal) =>
        this.#container(id).remove({ ...options, abortSignal }),
      );
    } catch (error) {
      if (isRefusal(error, 404)) return;
      if (isRefusal(error, 409) && error.detail.includes('already in progress')) return;
      throw error;
    }
  }

  async labelled(label: string): Promise<readonly LabelledContainer[]> {
    const what = 'list the containers';
    const query = new URLSearchParams({ all: '1', filters: JSON.stringify({ label: [label] }) });
    const listed = read(listSchema, await this.#get(`/containers/json?${query}`, what), what);
    return listed.map(({ Id, Names, Labels }) => ({ id: Id, names: Names ?? [], labels: Labels ?? {} }));
  }

  async image(name: string, platform?: Platform): Promise<ImageSummary | undefined> {
    const what = `inspect image ${name}`;
    const query =
      platform === undefined ? '' : `?${new URLSearchParams({ platform: JSON.stringify(platform) })}`;
    try {
      const answer = await this.#get(`/images/${imageName(name)}/json${query}`, what);
      const { Id, Config, Descriptor } = read(imageSchema, answer, what);
      const words = { environment: Config?.Env ?? [], labels: Config?.Labels ?? {} };
      return { id: Id, ...words, manifest: Descriptor?.digest ?? undefined };
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  async pull(name: string): Promise<void> {
    const what = `pull image ${name}`;
    await this.#call(
      what,
      async (abortSignal) => {
        const options = { abortSignal };
        const progress = await this.#docker.pull(name, options);
        await pullFinished(asReadable(progress, what), name);
      },
      this.#limits.pull,
    );
  }

  async importEmpty(name: string): Promise<void> {
    const what = `make the empty image ${name}`;
    await this.#call(what, async (abortSignal) => {
      const archive = Readable.from([EMPTY_TAR]);
      const options = { repo: name, changes: 'LABEL egresstrator.empty=1', abortSignal };
      await pullFinished(asReadable(await this.#docker.importImage(archive, options), what), name);
    });
  }

  async namesOfImages(label: string): Promise<readonly string[]> {
    const what = 'list the images';
    const query = new URLSearchParams({ filters: JSON.stringify({ label: [label] }) });
    const listed = read(imagesSchema, await this.#get(`/images/json?${query}`, what), what);
    return listed.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => !name.includes('<none>'));
  }

  async removeImage(name: string): Promise<void> {
    const what = `remove image ${name}`;
    await this.#call(what, (abortSignal) => this.#docker.getImage(imageName(name)).remove({ abortSignal }));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** JSON that may hold what an image's author wrote: without what we do not read, however long that is. */
  #get(path: string, what: string, selection?: Selection): Promise<unknown> {
    return this.#call(what, async (signal) => {
      const stream = asReadable(await this.#dial(path, signal), what);
      signal.addEventListener('abort', () => stream.destroy());
      return readSelected(stream, what, selection);
    });
  }

  /** The library itself would take all of an answer into memory before it gives it away. */
  #dial(plain: string, abortSignal: AbortSignal): Promise<unknown> {
    // It takes away the last character of a path with a query, as its own end in a question mark.
    const path = plain.includes('?') ? `${plain}&` : plain;
    const options = { path, method: 'GET', isStream: true, statusCodes: { 200: true }, abortSignal };
    return new Promise((resolve, reject) => {
      this.#docker.modem.dial(options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  #container(id: string): Dockerode.Container {
    return this.#docker.getContainer(containerName(id));
  }

  async #call<T>(what: string, request: (signal: AbortSignal) => Promise<T>, limit = this.#limits.request) {
    try {
      return await withDeadline(limit, what, request);
    } catch (error) {
      throw engineError(error, what, this.address);
    }
  }
}

/** It goes into the request's path as it is, where `../x` would be another request. */
function containerName(id: string): string {
  if (/^\w[\w.-]*$/.test(id)) return id;
  throw new EngineHttpError(`There is no container called ${id}.`, { status: 404, detail: 'no such name' });
}

function imageName(name: string): string {
  if (/^\w[\w.:@-]*(\/[\w.:@-]+)*$/.test(name) && !name.includes('..')) return name;
  throw new EngineHttpError(`There is no image called ${name}.`, { status: 404, detail: 'no such name' });
}

function asReadable(stream: unknown, what: string): Readable {
  if (stream instanceof Readable) return stream;
  throw new EngineAnswerError(
    `The Docker Engine did not answer with a stream as expected: could not ${what}.`,
  );
}
