/**
 * A symbol beside a word.
 */
import { type IconName, PATHS } from './icon-paths.ts';

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
