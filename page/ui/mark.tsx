/**
 * The sign of the page.
 */

/** A gate that lets one way through. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
    <rect class="field" width="24" height="24" rx="6" />
    <path class="lines" d="M14.5 5v4.2M14.5 14.8V19M5 12h13.5M15.5 8.8 18.7 12l-3.2 3.2" />
  </svg>
);
