/**
 * The navigation: beside the screen, or above it on a narrow one.
 */
import { computed, useSignal } from '@preact/signals';
import type { Link } from '../live/fold.ts';
import { controller, link, table } from '../live/store.ts';
import type { Screen } from '../screens/screen.ts';
import { Icon } from './icon.tsx';
import type { IconName } from './icon-paths.ts';
import { Mark } from './mark.tsx';
import { setTheme, type Theme, theme } from './theme.ts';

const GROUPS = [
  ['now', 'Now'],
  ['rules', 'Rules'],
  ['host', 'Host'],
] as const;

export function Navigation({
  screens,
  current,
}: {
  readonly screens: readonly Screen[];
  readonly current: Screen | undefined;
}) {
  const isOpen = useSignal(false);
  const close = () => {
    isOpen.value = false;
  };
  const at = current?.under ?? current?.path;
  return (
    <header class={`side ${isOpen.value ? 'open' : ''}`}>
      <div class="brand">
        <a href="/" onClick={close}>
          <Mark />
          <span class="name">
            egresstrator
            <span class="node">{controller.value?.node ?? ''}</span>
          </span>
        </a>
        <Live />
        <button
          type="button"
          class="menu plain"
          aria-expanded={isOpen.value}
          aria-controls="navigation"
          aria-label="Menu"
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          <Icon name="menu" />
        </button>
      </div>
      <nav id="navigation" aria-label="Screens">
        {GROUPS.map(([group, title]) => (
          <NavigationGroup
            key={group}
            title={title}
            at={at}
            onPress={close}
            screens={inGroup(screens, group)}
          />
        ))}
        <Themes />
      </nav>
    </header>
  );
}

const inGroup = (screens: readonly Screen[], group: string): readonly Screen[] =>
  screens.filter(({ nav }) => nav?.group === group);

function NavigationGroup({
  title,
  screens,
  at,
  onPress,
}: {
  readonly title: string;
  readonly screens: readonly Screen[];
  readonly at: string | undefined;
  readonly onPress: () => void;
}) {
  if (screens.length === 0) return null;
  return (
    <div class="group">
      <p>{title}</p>
      <ul>
        {screens.map(({ path, nav }) => (
          <li key={path}>
            <a href={path} onClick={onPress} {...(path === at && { 'aria-current': 'page' as const })}>
              <Icon name={nav?.icon ?? 'host'} />
              {nav?.title}
              {path === '/denied' && <DeniedCount />}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

const deniedCount = computed(() => table('denied').size + table('deniedNames').size);

const DeniedCount = () =>
  deniedCount.value === 0 ? null : (
    <span class="count" title="denied in the last hour">
      {deniedCount.value.toLocaleString('en-US')}
    </span>
  );

const WORDS: Readonly<Record<Link['kind'], string>> = {
  opening: 'connecting',
  live: 'live',
  controller: 'not live',
  page: 'not live',
};

const Live = () => (
  <span class={`live ${link.value.kind}`} title="whether changes are shown as they happen">
    {WORDS[link.value.kind]}
  </span>
);

const THEMES: readonly (readonly [Theme, IconName, string])[] = [
  ['system', 'screen', 'As the system'],
  ['light', 'sun', 'Light'],
  ['dark', 'moon', 'Dark'],
];

const Themes = () => (
  <fieldset class="themes">
    <legend class="unseen">Colours</legend>
    {THEMES.map(([value, icon, label]) => (
      <button
        key={value}
        type="button"
        class="plain"
        aria-label={label}
        title={label}
        aria-pressed={theme.value === value}
        onClick={() => setTheme(value)}
      >
        <Icon name={icon} />
      </button>
    ))}
  </fieldset>
);
