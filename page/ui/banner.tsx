/**
 * Says so where what is shown may not be what is: whose connection is gone, and since when; or code could not be loaded.
 */
import type { Link } from '../live/fold.ts';
import { link } from '../live/store.ts';
import { Icon } from './icon.tsx';
import { isIncomplete } from './lazy.ts';
import { Time } from './time.tsx';

const WHO: Readonly<Record<Link['kind'], string>> = {
  opening: '',
  live: '',
  controller: 'The controller does not answer',
  page: 'The page does not answer',
};

export function Banner() {
  const { kind, since, reason } = link.value;
  return (
    <div role="status">
      {WHO[kind] !== '' && (
        <p class="banner">
          <Icon name="clock" />
          <span>
            <strong>
              {WHO[kind]}: last known, <Time at={since} />.
            </strong>{' '}
            {reason === undefined ? '' : `${reason}. `}Loaded rules stay in the kernels.
          </span>
        </p>
      )}
      {isIncomplete.value && (
        <p class="banner">
          <Icon name="warning" />
          <span>A part of the page could not be loaded. The page may have a new version: load it again.</span>
        </p>
      )}
    </div>
  );
}
