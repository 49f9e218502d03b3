/**
 * Runs `dataplane/netns` in a short-lived container that joins the namespace and may only change its network.
 *
 * A job is create, attach, start, wait, remove. The owner of the namespace is checked while the helper is created, so
 * the check costs no extra time. Removal runs in the background, and `close` waits for it. Helpers that a crash leaves
 * behind are found by their labels (leftovers.ts).
 *
 * Docker puts a helper into the namespace of the container's first process. That process may have left the namespace
 * that Docker created, or may have ended while its threads go on. So a helper also gets Docker's own file of the
 * namespace. If it is in another one, or cannot be started, a second helper enters by that file.
 */
import { randomUUID } from 'node:crypto';
import { LoadError, messageOf } from '../common/errors.ts';
import type { Container } from '../inventory/container.ts';
import { withDeadline } from '../sources/docker/deadline.ts';
import type { Engine } from '../sources/docker/engine.ts';
import { EngineHttpError, isHttpError } from '../sources/docker/errors.ts';
import { follow } from '../sources/docker/follow.ts';
import type { HelperImage } from '../sources/docker/image.ts';
import { containerFrom } from '../sources/docker/inspect.ts';
import { ourLabels, ourName } from '../sources/docker/labels.ts';
import { runOnce } from '../sources/docker/one-shot.ts';
import { HOST_REF, type NamespaceRef } from './dataplane.ts';
import { HelperCleanup } from './helper-cleanup.ts';
import { helperBody } from './helper-spec.ts';
import { removeLeftovers } from './leftovers.ts';
import { exited, type Failure, failed, gone, onHostNetwork, tookTooLong } from './load-errors.ts';
import { defaultLimits, limitsFor, type ResourceLimits } from './resource-limits.ts';
import {
  type Command,
  IN_ANOTHER_NAMESPACE,
  type Loader,
  mostOutput,
  type NamespaceRunner,
  programOf,
  type RunResult,
} from './runner.ts';

export interface HelperSettings extends ResourceLimits {
  /** Identifies this process among others that use the same Engine. */
  readonly instance: string;
  readonly now: () => number;
  /**
   * True if the template is for iptables; default false. On a kernel without nf_tables, iptables reads its tables
   * through a raw socket, which needs more than NET_ADMIN.
   */
  readonly xtables: boolean;
}

/** Milliseconds for the inspection of the container that is to be joined. */
const INSPECT_LIMIT = 3_000;

/** Milliseconds after which a helper that is followed makes room for a new one. */
const LIFETIME = 6 * 3_600_000;

interface Job extends Failure {
  readonly networkMode: string;
  readonly sandbox?: string | undefined;
  readonly entersSandbox?: boolean;
  readonly stdin: string | undefined;
  /** Milliseconds; default: enough for its input. */
  readonly lifetime?: number;
  /** Rejects with a `LoadError` if the helper must not be started. */
  readonly check: () => Promise<void>;
}

export class HelperRunner implements NamespaceRunner {
  readonly #engine: Engine;
  readonly #image: HelperImage;
  readonly #settings: HelperSettings;
  readonly #cleanup: HelperCleanup;

  /** `image`: called before every job; caches its answer (see `helperImage`). */
  constructor(engine: Engine, image: HelperImage, settings: Partial<HelperSettings> = {}) {
    this.#engine = engine;
    this.#image = image;
    this.#cleanup = new HelperCleanup(engine);
    const defaults = { ...defaultLimits, instance: randomUUID(), now: Date.now, xtables: false };
    this.#settings = { ...defaults, ...settings };
  }

  async run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult> {
    const { name, containerId, sandbox } = namespace;
    const failure = { command, name };
    const check = () => this.#checkOwner(namespace, failure);
    const job: Job = { ...failure, networkMode: `container:${containerId}`, sandbox, stdin, check };
    try {
      return await this.#job(job);
    } catch (error) {
      if (sandbox === undefined || !(isElsewhere(error) || isRejectedByEngine(error))) throw error;
      return await this.#enterSandbox(job, error);
    }
  }

  /** If the Engine cannot mount the file, the namespace that it chooses must do. */
  async #enterSandbox(job: Job, before: unknown): Promise<RunResult> {
    try {
      return {
        ...(await this.#job({ ...job, networkMode: 'none', entersSandbox: true })),
        hasProcessLeft: true,
      };
    } catch (error) {
      if (isElsewhere(before) || !isRejectedByEngine(error)) throw error;
      return await this.#job({ ...job, sandbox: undefined }).catch(() => {
        throw before;
      });
    }
  }

  loaderOf(): Loader {
    return 'helper';
  }

  /** In the host's own namespace, to which no container leads: see host.ts. */
  runOnHost(command: Command, stdin?: string): Promise<RunResult> {
    return this.#job({ command, name: HOST_REF.name, networkMode: 'host', stdin, check: async () => {} });
  }

  /** The lines of a long run in the host's own namespace, until the signal, or until it ends. */
  async followOnHost(command: Command, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const job: Job = {
      ...{ command, name: HOST_REF.name, networkMode: 'host', stdin: '', check: async () => {} },
      lifetime: LIFETIME,
    };
    const name = ourName('helper');
    try {
      const id = await this.#createChecked(name, job);
      const ending = AbortSignal.any([signal, AbortSignal.timeout(LIFETIME)]);
      const stderr = await follow(this.#engine, { id, onLine, signal: ending });
      if (stderr !== '' && !ending.aborted) throw failed(job, stderr.trim());
    } catch (error) {
      throw await explained(job, error);
    } finally {
      this.#cleanup.remove(name);
    }
  }

  testLoad(command: Command, stdin?: string): Promise<RunResult> {
    const name = 'an empty namespace';
    return this.#job({ command, name, networkMode: 'none', stdin, check: async () => {} });
  }

  /** Removes helpers that are no longer in use; returns how many. */
  removeLeftovers(): Promise<number> {
    return removeLeftovers(this.#engine, this.#settings.now());
  }

  close(): Promise<void> {
    return this.#cleanup.close();
  }

  async #job(job: Job): Promise<RunResult> {
    const name = ourName('helper');
    try {
      const id = await this.#createChecked(name, job);
      return await this.#runIn(id, job);
    } catch (error) {
      if (lacksImage(error)) this.#image.forget?.();
      throw await explained(job, error);
    } finally {
      this.#cleanup.remove(name);
    }
  }

  async #createChecked(name: string, job: Job): Promise<string> {
    const { instance, now, xtables } = this.#settings;
    const { command, networkMode, stdin, sandbox, entersSandbox = false } = job;
    const { limit, memory } = limitsFor(stdin, this.#settings);
    const image = await this.#image();
    const labels = ourLabels(instance, now() + (job.lifetime ?? 2 * limit) + 60_000);
    const body = helperBody({
      image,
      command,
      networkMode,
      sandbox,
      entersSandbox,
      stdin: stdin !== undefined,
      labels,
      memory,
      capabilities: xtables || programOf(command) === 'host' ? ['NET_ADMIN', 'NET_RAW'] : ['NET_ADMIN'],
    });
    const [created, checked] = await Promise.allSettled([this.#engine.create(name, body), job.check()]);
    if (checked.status === 'rejected') throw checked.reason;
    if (created.status === 'rejected') throw created.reason;
    return created.value;
  }

  async #runIn(id: string, job: Job): Promise<RunResult> {
    const { limit } = limitsFor(job.stdin, this.#settings);
    const ended = await runOnce(this.#engine, { id, stdin: job.stdin, limit, mostOutput });
    if (ended.expired) throw tookTooLong(job, limit);
    if (ended.exitCode !== 0) throw exited(job, ended.exitCode, ended.stderr);
    if (ended.truncated) throw failed(job, `it printed more than ${mostOutput} bytes`);
    return { stdout: ended.stdout };
  }

  /** Docker joins the present namespace of that container; it must still be the intended one. */
  async #checkOwner({ containerId, startedAt }: NamespaceRef, failure: Failure): Promise<void> {
    const container = await this.#find(containerId);
    if (container === undefined) throw gone(failure, 'the container was removed');
    if (container.network.kind === 'host') throw onHostNetwork(failure);
    if (!container.running) throw gone(failure, 'the container has ended');
    if (container.startedAt !== startedAt) throw gone(failure, 'the container was restarted meanwhile');
  }

  /** With a short limit: the Engine does not answer for a container whose processes block it. */
  async #find(id: string): Promise<Container | undefined> {
    try {
      const what = `inspect container ${id}`;
      return containerFrom(await withDeadline(INSPECT_LIMIT, what, () => this.#engine.inspect(id)));
    } catch (error) {
      if (isHttpError(error, 404)) return undefined;
      throw error;
    }
  }
}

/**
 * The Engine reports in many ways that a container ended while another one joined it ("can't get final child's PID
 * from pipe" is one). So the container is inspected again.
 */
async function explained(job: Job, error: unknown): Promise<LoadError> {
  if (error instanceof LoadError && error.exitCode === undefined) return error;
  const again = await job.check().catch((reason: unknown) => reason);
  if (again instanceof LoadError) return again;
  if (error instanceof LoadError) return error;
  if (lacksImage(error))
    return failed(job, 'the helper image was removed from the Engine; build or pull it again', error);
  return failed(job, messageOf(error), error);
}

const isElsewhere = (error: unknown): boolean =>
  error instanceof LoadError && error.exitCode === IN_ANOTHER_NAMESPACE;

/** True if the Engine did not create or start the helper, although the container is still there. */
const isRejectedByEngine = (error: unknown): boolean =>
  error instanceof LoadError && error.cause instanceof EngineHttpError && !lacksImage(error.cause);

const lacksImage = (error: unknown): boolean =>
  isHttpError(error, 404) && error.detail.includes('No such image');
