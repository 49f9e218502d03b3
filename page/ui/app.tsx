/**
 * The page around the screens: navigation, what is known of the connection, and the screen of the present address.
 */
import { useSignal, useSignalEffect } from '@preact/signals';
import { session } from '../live/session.ts';
import { controller } from '../live/store.ts';
import { SCREENS } from '../screens/index.ts';
import type { Params, Screen, ScreenComponent } from '../screens/screen.ts';
import { Banner } from './banner.tsx';
import { Login } from './login.tsx';
import { Navigation } from './navigation.tsx';
import { match, path } from './router.ts';
import { Loading, Trouble } from './texts.tsx';

export function App() {
  const found = screenAt(path.value);
  const title = found === undefined ? 'Not found' : found.screen.title(found.params);
  const node = controller.value?.node;
  document.title = `${title} · ${node === undefined ? '' : `${node} · `}egresstrator`;
  if (session.value.kind === 'login') return <Login reason={session.value.reason} />;
  return (
    <div class="app">
      <a class="skip" href="#main">
        Skip to the screen
      </a>
      <Navigation screens={SCREENS} current={found?.screen} />
      <div class="content">
        <Banner />
        <main id="main" tabIndex={-1}>
          {found === undefined ? <NotFound /> : <Shown key={found.screen.path} {...found} />}
        </main>
      </div>
    </div>
  );
}

const NotFound = () => (
  <>
    <h1>Not found</h1>
    <Trouble>
      There is no screen {path.value}. <a href="/">Back to the host</a>
    </Trouble>
  </>
);

function screenAt(address: string): { readonly screen: Screen; readonly params: Params } | undefined {
  for (const screen of SCREENS) {
    const params = match(screen.path, address);
    if (params !== undefined) return { screen, params };
  }
  return undefined;
}

/** Those that were loaded, by their path. */
const loaded = new Map<string, ScreenComponent>();

function Shown({ screen, params }: { readonly screen: Screen; readonly params: Params }) {
  const Component = useSignal<ScreenComponent | undefined>(loaded.get(screen.path));
  const error = useSignal('');
  useSignalEffect(() => {
    if (Component.value !== undefined) return;
    screen.load().then(
      (module) => {
        loaded.set(screen.path, module.default);
        Component.value = module.default;
      },
      () => {
        error.value = 'This screen could not be loaded. The page may have a new version: load it again.';
      },
    );
  });
  if (error.value !== '') return <Trouble>{error.value}</Trouble>;
  if (Component.value === undefined) return <Loading what="the screen" />;
  return <Component.value params={params} />;
}
