/**
 * Chooses the key whose text is edited, also one that does not exist yet.
 */

import { directionIn } from '../../ui/direction.ts';
import { Icon } from '../../ui/icon.tsx';
import { queryOf, setQuery } from '../../ui/router.ts';
import { Empty } from '../../ui/texts.tsx';
import { textsOf } from './drafts.ts';

export function KeyChoice() {
  const direction = directionIn();
  const names = [...textsOf(direction).keys()].toSorted();
  return (
    <div class="filters what-if">
      <label class="field">
        <span>Key</span>
        <input
          type="text"
          list="key-names"
          value={queryOf('key')}
          placeholder="db"
          spellcheck={false}
          autocomplete="off"
          onChange={({ currentTarget }) => setQuery({ key: currentTarget.value.trim() })}
        />
        <datalist id="key-names">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label class="field">
        <span>Kind</span>
        <span class="select">
          <select
            value={direction}
            onChange={({ currentTarget }) =>
              setQuery({ key: '', add: '', in: currentTarget.value === 'ingress' ? 'ingress' : '' })
            }
          >
            <option value="egress">ACL key: what workloads may reach</option>
            <option value="ingress">ingress key: who may call</option>
          </select>
          <Icon name="down" />
        </span>
      </label>
    </div>
  );
}

/** The most keys that are listed to choose from. */
const MOST_KEYS = 60;

export function Choose() {
  const add = queryOf('add');
  const names = [...textsOf(directionIn()).keys()].toSorted();
  return (
    <div class="stack">
      <Empty>
        {add === ''
          ? 'Choose a key, or type the name of a new one.'
          : `Choose the key that ${add} would go to, or type the name of a new one.`}
      </Empty>
      <div class="choices">
        {names.slice(0, MOST_KEYS).map((name) => (
          <button key={name} type="button" class="chip" onClick={() => setQuery({ key: name })}>
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}
