/**
 * The services that keys name and no workload needs: nobody watches them. They are read from Consul one after the
 * other, and each again after a while, so that the page can tell what a key would allow.
 */
import { messageOf } from '../../common/errors.ts';
import type { ServiceReader } from '../../diagnostics/read-services.ts';
import { type Instance, type ServiceRef, serviceName } from '../../inventory/service.ts';
import type { ServiceEntry } from '../../live/tables.ts';
import type { Acl } from '../../policy/acl.ts';
import { servicesOf } from '../../policy/compile.ts';

/** The most that are read. */
const MOST = 500;
/** Milliseconds for which an answer counts. */
const FRESH = 60_000;
const TOO_MANY: ServiceEntry = {
  instances: [],
  unread: 'too many services are named by keys that nobody uses',
};

interface Read {
  readonly entry: ServiceEntry;
  readonly at: number;
}

export class UnwatchedServices {
  readonly #reader: Pick<ServiceReader, 'readService'>;
  readonly #now: () => number;
  readonly #onRead: () => void;
  #read: ReadonlyMap<string, Read> = new Map();
  #named: { readonly acl: Acl; readonly refs: ReadonlyMap<string, ServiceRef> } | undefined;
  #reading: Promise<void> | undefined;
  #isClosed = false;

  constructor(reader: Pick<ServiceReader, 'readService'>, now: () => number, onRead: () => void) {
    this.#reader = reader;
    this.#now = now;
    this.#onRead = onRead;
  }

  /** What is known of them now; what is not is read, and then `onRead` is called. */
  of(acl: Acl, watched: ReadonlyMap<string, readonly Instance[]>): ReadonlyMap<string, ServiceEntry> {
    const named = this.#namedBy(acl);
    const missing = [...named].filter(([name]) => !watched.has(name));
    const wanted = missing.slice(0, MOST);
    this.#read = new Map([...this.#read].filter(([name]) => named.has(name)));
    const old = wanted.filter(([name]) => this.#now() - (this.#read.get(name)?.at ?? 0) >= FRESH);
    if (old.length > 0) this.#reading ??= this.#readAll(old);
    return new Map([
      ...wanted.map(([name]) => [name, this.#read.get(name)?.entry ?? NOT_YET] as const),
      ...missing.slice(MOST).map(([name]) => [name, TOO_MANY] as const),
    ]);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** The rules are looked at once for the same keys. */
  #namedBy(acl: Acl): ReadonlyMap<string, ServiceRef> {
    if (this.#named?.acl !== acl)
      this.#named = {
        acl,
        refs: new Map(servicesOf([...acl.values()]).map((ref) => [serviceName(ref), ref])),
      };
    return this.#named.refs;
  }

  async #readAll(refs: readonly (readonly [string, ServiceRef])[]): Promise<void> {
    for (const [name, ref] of refs) {
      if (this.#isClosed) return;
      const entry = await this.#readOne(ref);
      this.#read = new Map([...this.#read, [name, { entry, at: this.#now() }]]);
    }
    this.#reading = undefined;
    this.#onRead();
  }

  #readOne(ref: ServiceRef): Promise<ServiceEntry> {
    return this.#reader.readService(ref).then(
      (instances) => ({ instances }),
      (error: unknown) => ({ instances: [], unread: messageOf(error) }),
    );
  }
}

const NOT_YET: ServiceEntry = { instances: [], unread: 'it is read in a moment' };
