/**
 * Follows a value that changes often, for what is costly to make of it.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** The first value at once, and then the latest one after each pause, in ms. */
export function useThrottled<T>(value: T, pause: number): T {
  const shown = useSignal(value);
  const latest = useRef(value);
  latest.current = value;
  const isOld = shown.value !== value;
  useEffect(() => {
    if (!isOld) return;
    const timer = setTimeout(() => {
      shown.value = latest.current;
    }, pause);
    return () => clearTimeout(timer);
  }, [isOld, pause]);
  return shown.value;
}
