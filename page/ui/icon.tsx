/**
 * Symbols, drawn here: lines on a square of 16.
 */
const PATHS = {
  shield: 'M8 1.8 13 3.6v4c0 3.2-2.1 5.4-5 6.6-2.9-1.2-5-3.4-5-6.6v-4L8 1.8ZM5.7 8l1.7 1.7 3-3.2',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  lock: 'M3.5 7.5h9v6h-9v-6ZM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.7V8l2.3 1.4',
  cross: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
  warning: 'M8 2 14.6 13.5H1.4L8 2ZM8 6.3v3.4M8 11.6v.1',
  open: 'M3.5 7.5h9v6h-9v-6ZM5.5 7.5V5A2.5 2.5 0 0 1 10.4 4.3',
  list: 'M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5',
  pencil: 'M2.5 13.5 3.3 10l7-7 2.7 2.7-7 7-3.5.8ZM9 4.3 11.7 7',
  ban: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4',
  dash: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.3 8h5.4',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.3v3.6M8 5.1v.1',
  check: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.4 8.2l1.8 1.8 3.5-3.8',
  copy: 'M5.5 5.5h8v8h-8v-8ZM3.5 10.5h-1v-8h8v1',
  tick: 'M3 8.5 6.5 12 13 4.5',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.7 10.7 14 14',
  up: 'M4 9.8 8 6l4 3.8',
  down: 'M4 6.2 8 10l4-3.8',
  right: 'M6.2 4 10 8l-3.8 4',
  menu: 'M2 4.5h12M2 8h12M2 11.5h12',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M4.5 3v10l8-5-8-5Z',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3.1 3.1l1 1M11.9 11.9l1 1M12.9 3.1l-1 1M4.1 11.9l-1 1',
  moon: 'M13.2 9.6A5.5 5.5 0 0 1 6.4 2.8a5.5 5.5 0 1 0 6.8 6.8Z',
  screen: 'M2 3h12v8H2V3ZM6 13.5h4',
  host: 'M2.5 2.5h11v4.5h-11V2.5ZM2.5 9h11v4.5h-11V9ZM5 4.8h.1M5 11.2h.1',
  graph: 'M2 3.5h3v3H2v-3ZM11 2h3v3h-3V2ZM11 11h3v3h-3v-3ZM5 5h3v7.5h3M8 5V3.5h3',
  key: 'M5 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM8.2 8.3H14v2.4M11.5 8.3v1.9',
  flask: 'M6 2h4M6.8 2v4.2L3 12.6c-.4.7.1 1.4.9 1.4h8.2c.8 0 1.3-.7.9-1.4L9.2 6.2V2M4.8 10h6.4',
  history: 'M2.6 8a5.5 5.5 0 1 0 1.8-4M2.5 2v2.6h2.6M8 5v3.2l2.2 1.3',
  port: 'M2 8h8.5M7.5 4.5 11 8l-3.5 3.5M13.5 2.5v11',
  network: 'M8 2v4M3 14v-3h10v3M8 6v5M5.5 2h5v4h-5V2Z',
  name: 'M2 3.5h6.5L14 9l-5 5-5.5-5.5H2v-5ZM5 6.4h.1',
  cluster: 'M8 1.5 14 5v6l-6 3.5L2 11V5l6-3.5ZM2 5l6 3.5L14 5M8 8.5v6',
  inward: 'M14 8H5.5M8.5 4.5 5 8l3.5 3.5M2.5 2.5v11',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
