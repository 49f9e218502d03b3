/**
 * All screens, in the order of the navigation. Each is loaded when it is first shown.
 */
import type { Screen } from './screen.ts';

export const SCREENS: readonly Screen[] = [
  {
    path: '/',
    title: () => 'Host',
    nav: { group: 'now', title: 'Host', icon: 'host' },
    load: () => import('./host/screen.tsx'),
  },
  {
    path: '/workloads/:name',
    title: ({ name }) => name ?? '',
    under: '/',
    load: () => import('./workload/screen.tsx'),
  },
  {
    path: '/denied',
    title: () => 'Denied',
    nav: { group: 'now', title: 'Denied', icon: 'ban' },
    load: () => import('./denied/screen.tsx'),
  },
  {
    path: '/keys',
    title: () => 'Keys',
    nav: { group: 'rules', title: 'Keys', icon: 'key' },
    load: () => import('./keys/list.tsx'),
  },
  {
    path: '/keys/:key',
    title: ({ key }) => key ?? '',
    under: '/keys',
    load: () => import('./keys/key.tsx'),
  },
  {
    path: '/what-if',
    title: () => 'What if',
    nav: { group: 'rules', title: 'What if', icon: 'flask' },
    load: () => import('./what-if/screen.tsx'),
  },
];
