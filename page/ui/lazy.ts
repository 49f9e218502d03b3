/**
 * Code that is loaded when a screen needs it.
 */
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Some code could not be loaded, so what needs it is not shown. */
export const isIncomplete = signal(false);

/** Undefined until it is there. */
export function useLazy<T extends object>(load: () => Promise<T>): T | undefined {
  const loaded = useSignal<T | undefined>(undefined);
  useEffect(() => {
    load().then(
      (module) => {
        loaded.value = module;
      },
      () => {
        isIncomplete.value = true;
      },
    );
  }, []);
  return loaded.value;
}
