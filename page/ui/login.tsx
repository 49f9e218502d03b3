/**
 * Without a session: what to do to get one.
 */
import { useSignal } from '@preact/signals';
import { logIn } from '../live/session.ts';
import { open } from '../live/stream.ts';
import { Command } from './copy.tsx';
import { Mark } from './mark.tsx';

export function Login({ reason }: { readonly reason: string | undefined }) {
  const token = useSignal('');
  const isBusy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    const word = token.value.trim().replace(/^.*#token=/, '');
    if (await logIn(word)) open();
    isBusy.value = false;
  };
  return (
    <main class="login">
      <h1>
        <Mark />
        egresstrator
      </h1>
      <p>This browser has no session. Open the address that the page has printed, or paste its token.</p>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          required
          value={token.value}
          onInput={({ currentTarget }) => {
            token.value = currentTarget.value;
          }}
        />
        <button type="submit" class="main" disabled={isBusy.value}>
          Open
        </button>
      </form>
      {reason !== undefined && (
        <p class="trouble" role="alert">
          {reason}
        </p>
      )}
      <p class="muted">A token from an address is good once. A new one, on the host:</p>
      <Command text="egresstrator page" />
    </main>
  );
}
