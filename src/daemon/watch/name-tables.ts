/**
 * The tables of names: what is granted by name, and which names were denied.
 */
import type { Steps } from '../../common/slices.ts';
import { deniedNameRows, nameLinesOf } from '../../diagnostics/denied-names.ts';
import type { NamespaceView } from '../../diagnostics/snapshot.ts';
import type { NamesReport } from '../../features/names/name-report.ts';
import { shiftedNames } from '../../features/names/summary.ts';
import type { LiveState } from '../../live/state.ts';
import { deniedNameId } from '../../live/tables.ts';
import type { Acl } from '../../policy/acl.ts';
import { reuseEqual } from './reuse.ts';

type NameTables = Pick<LiveState, 'names' | 'deniedNames'>;

export class NameRows {
  #lines: { readonly acl: Acl | undefined; readonly about: ReturnType<typeof nameLinesOf> } | undefined;

  /** `offset`: from the controller's clock to the host's, in milliseconds. */
  *tables(
    previous: LiveState,
    views: readonly NamespaceView[],
    acl: Acl | undefined,
    offset: number,
  ): Steps<NameTables> {
    const namespaces = views.map((one) => ({ ...one, names: one.names && shiftedNames(one.names, offset) }));
    const reports = namespaces.flatMap(({ id, names }): (readonly [string, NamesReport])[] =>
      names === undefined ? [] : [[id, names]],
    );
    yield;
    const rows = reports.some(([, { denied }]) => denied.length > 0)
      ? deniedNameRows({ acl: acl ?? new Map(), namespaces }, () => true, this.#linesAbout(acl))
      : [];
    return {
      names: yield* reuseEqual(previous.names, reports),
      deniedNames: yield* reuseEqual(
        previous.deniedNames,
        rows.map((row) => [deniedNameId(row), row]),
      ),
    };
  }

  /** The lines are looked at once for the same keys. */
  #linesAbout(acl: Acl | undefined): ReturnType<typeof nameLinesOf> {
    if (this.#lines === undefined || this.#lines.acl !== acl) this.#lines = { acl, about: nameLinesOf(acl) };
    return this.#lines.about;
  }
}
