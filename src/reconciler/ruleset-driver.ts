/**
 * The driver of features that load rules into network namespaces. It compares the fingerprint, the facts and the
 * digest of the kernel's listing, and loads only if one differs.
 */
import { LoadError, messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { NetworkNamespace } from '../inventory/namespace.ts';
import {
  type Loaded,
  NOTHING_LOADED,
  type Rendering,
  type Ruleset,
  type RulesetOwner,
} from '../inventory/ruleset.ts';
import type { Driver, Target } from './driver.ts';
import { attachmentsOf, compareLoads, type LoadRecords } from './load-records.ts';

/** Loads rules in namespaces, and reads them. Every method fails with a `LoadError`. */
export interface RulesetLoader {
  /** `replaces`: rules of this owner are loaded there. */
  load(namespace: NetworkNamespace, ruleset: Ruleset, replaces: boolean): Promise<Loaded>;
  /** `known`: what is there as far as known. */
  inspect(namespace: NetworkNamespace, owner: RulesetOwner, known: Loaded): Promise<Loaded>;
  clear(namespace: NetworkNamespace, owner: RulesetOwner): Promise<void>;
}

/** A feature that desires rules. */
export interface RulesetSource<Desired> {
  readonly name: string;
  readonly after?: readonly string[];
  readonly owner: RulesetOwner;
  isSame(one: Desired, other: Desired): boolean;
  namespaceOf(desired: Desired): NetworkNamespace;
  /** `isForLoad`: it is loaded at once, and not only compared. */
  render(desired: Desired, isForLoad?: boolean): Promise<Rendering>;
  /** True for rules that are only better than none: loaded rules stay. */
  isFallback?(desired: Desired): boolean;
  /** The loaded rules of a new namespace, if known without an inspection. */
  loadedAtStart?(desired: Desired): Promise<Loaded | undefined> | undefined;
  /** For logs. */
  describe(desired: Desired): object;
}

export interface ObservedRules {
  readonly loaded: Loaded;
  /** True if it may have been changed before the first inspection. */
  readonly needsReload: boolean;
  /** True while it is only known from the previous run. */
  readonly isFromPreviousRun: boolean;
  /** True once this run has loaded something there. */
  readonly isAppliedByUs: boolean;
  /** The fingerprint of rules that another program loaded in place of ours, until ours are verified again. */
  readonly replacedBy: string | undefined;
}

export interface RulesetContext {
  readonly loader: RulesetLoader;
  readonly records: LoadRecords;
  readonly log: Logger;
  /** Called when rules in a kernel were changed by others. */
  readonly onDrift?: ((namespace: NetworkNamespace) => void) | undefined;
}

const UNKNOWN: ObservedRules = {
  ...{ loaded: NOTHING_LOADED, needsReload: false, isFromPreviousRun: false },
  ...{ isAppliedByUs: false, replacedBy: undefined },
};

export class RulesetDriver<Desired> implements Driver<Desired, ObservedRules> {
  readonly feature: string;
  readonly after: readonly string[];
  readonly #source: RulesetSource<Desired>;
  readonly #context: RulesetContext;

  constructor(source: RulesetSource<Desired>, context: RulesetContext) {
    this.feature = source.name;
    this.after = source.after ?? [];
    this.#source = source;
    this.#context = context;
  }

  isSame(one: Desired, other: Desired): boolean {
    return this.#source.isSame(one, other);
  }

  recorded(_name: string, desired: Desired): ObservedRules | undefined {
    const namespace = this.#source.namespaceOf(desired);
    const loaded = this.#context.records.get(namespace.id, attachmentsOf(namespace));
    return loaded && { ...UNKNOWN, loaded, isFromPreviousRun: true };
  }

  /** A failed inspection does not stop a load, which replaces all rules. */
  async inspect(target: Target<Desired, ObservedRules>): Promise<ObservedRules> {
    try {
      const loaded = await this.#loadedAtStart(target);
      return loaded === undefined ? await this.#inspectKernel(target) : { ...UNKNOWN, loaded };
    } catch (error) {
      if (target.isReleased || this.#isFallback(target.desired) || this.isGone(error)) throw error;
      const fields = { ...this.#named(target.desired), error: messageOf(error) };
      this.#context.log.warn(fields, 'rules in the kernel could not be read; loading them again');
      return { ...(target.last ?? UNKNOWN), loaded: NOTHING_LOADED };
    }
  }

  async isInSync(
    { desired }: Target<Desired, ObservedRules>,
    { loaded, needsReload, isAppliedByUs }: ObservedRules,
  ): Promise<boolean> {
    if (this.#isFallback(desired) && loaded.fingerprint !== undefined) return true;
    const { ruleset, facts, isGuess = false } = await this.#source.render(desired);
    if (needsReload || loaded.fingerprint !== ruleset.fingerprint) return false;
    return (isGuess && !isAppliedByUs) || facts === undefined || facts === loaded.facts;
  }

  async apply({ desired }: Target<Desired, ObservedRules>, observed: ObservedRules): Promise<ObservedRules> {
    const { ruleset, ended } = await this.#source.render(desired, true);
    const namespace = this.#source.namespaceOf(desired);
    const replaces = observed.loaded.fingerprint !== undefined;
    let isLoaded = false;
    try {
      const loaded = await this.#context.loader.load(namespace, ruleset, replaces);
      isLoaded = loaded.fingerprint === ruleset.fingerprint;
      if (!isLoaded) throw notWhatWasLoaded(nameOf(namespace), ruleset.fingerprint, loaded);
      return { ...UNKNOWN, loaded, isAppliedByUs: true, replacedBy: observed.replacedBy };
    } finally {
      ended?.(isLoaded);
    }
  }

  isAbsent({ loaded: { digest, fingerprint } }: ObservedRules): boolean {
    return digest === undefined && fingerprint === undefined;
  }

  async release(
    { desired }: Target<Desired, ObservedRules>,
    observed: ObservedRules,
  ): Promise<ObservedRules> {
    await this.#context.loader.clear(this.#source.namespaceOf(desired), this.#source.owner);
    return { ...UNKNOWN, isAppliedByUs: observed.isAppliedByUs };
  }

  isGone(error: unknown): boolean {
    return error instanceof LoadError && error.gone;
  }

  /** Only the feature itself can have loaded anything before the first job. */
  async #loadedAtStart({
    desired,
    last,
    failures,
  }: Target<Desired, ObservedRules>): Promise<Loaded | undefined> {
    return last === undefined && failures === 0 ? this.#source.loadedAtStart?.(desired) : undefined;
  }

  /**
   * Changed rules count as missing, so they are replaced. Rules that may have been changed before their first
   * inspection (those of the gate are known only by fingerprint) are loaded again.
   */
  async #inspectKernel(target: Target<Desired, ObservedRules>): Promise<ObservedRules> {
    const { loader, log, onDrift } = this.#context;
    const { desired, last = UNKNOWN } = target;
    const namespace = this.#source.namespaceOf(desired);
    const loaded = await loader.inspect(namespace, this.#source.owner, last.loaded);
    const comparison = compareLoads(target.last?.loaded, loaded, last.isFromPreviousRun);
    if (comparison === 'unknown' && last.isFromPreviousRun)
      log.info(this.#named(desired), 'rules in the kernel differ from the recorded load; loading them again');
    const observed = { ...last, loaded, isFromPreviousRun: false, replacedBy: undefined };
    if (comparison !== 'changed')
      return { ...observed, needsReload: last.needsReload || comparison === 'unknown' };
    log.warn(this.#named(desired), 'rules in the kernel were changed');
    onDrift?.(namespace);
    // A change of single rules keeps our comment, or removes it.
    const isReplaced = loaded.fingerprint !== last.loaded.fingerprint;
    const replacedBy = isReplaced ? loaded.fingerprint : undefined;
    return { ...observed, replacedBy, loaded: target.isReleased ? loaded : NOTHING_LOADED };
  }

  #isFallback(desired: Desired): boolean {
    return this.#source.isFallback?.(desired) === true;
  }

  #named(desired: Desired): object {
    return { container: nameOf(this.#source.namespaceOf(desired)) };
  }
}

export const nameOf = (namespace: NetworkNamespace): string =>
  namespace.kind === 'host' ? 'the host' : namespace.target.name;

/** A template that does not write its fingerprint fails its test and is not used. */
const notWhatWasLoaded = (name: string, wanted: string, { fingerprint }: Loaded): LoadError =>
  new LoadError(
    fingerprint === undefined
      ? `the namespace of ${name} has no fingerprint after rules ${wanted} were loaded; a template must write {{comment}}, as the included ones do`
      : `the namespace of ${name} holds the rules of another egresstrator (${fingerprint}) right after rules ${wanted} were loaded; if a second controller runs on this Engine, stop one`,
  );
