/**
 * Code that is loaded when a screen needs it.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Undefined until it is there. */
export function useLazy<T extends object>(load: () => Promise<T>): T | undefined {
  const loaded = useSignal<T | undefined>(undefined);
  useEffect(() => {
    load().then(
      (module) => {
        loaded.value = module;
      },
      () => undefined,
    );
  }, []);
  return loaded.value;
}
