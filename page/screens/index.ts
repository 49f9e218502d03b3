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
    path: '/picture',
    title: () => 'Picture',
    nav: { group: 'now', title: 'Picture', icon: 'graph' },
    load: () => import('./picture/screen.tsx'),
  },
  {
    path: '/timeline',
    title: () => 'Timeline',
    nav: { group: 'now', title: 'Timeline', icon: 'history' },
    load: () => import('./timeline/screen.tsx'),
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
  {
    path: '/host',
    title: () => 'Host rules',
    nav: { group: 'host', title: 'Host rules', icon: 'port' },
    load: () => import('./host-rules/screen.tsx'),
  },
  {
    path: '/networks',
    title: () => 'Networks',
    nav: { group: 'host', title: 'Networks', icon: 'network' },
    load: () => import('./networks/screen.tsx'),
  },
  {
    path: '/names',
    title: () => 'Names',
    nav: { group: 'host', title: 'Names', icon: 'name' },
    load: () => import('./names/screen.tsx'),
  },
  {
    path: '/cluster',
    title: () => 'Cluster',
    nav: { group: 'host', title: 'Cluster', icon: 'cluster' },
    load: () => import('./cluster/screen.tsx'),
  },
];
