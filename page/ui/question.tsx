/**
 * A question of one line whose text stands in the address, so that it can be sent as a link.
 */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { queryOf, setQuery } from './router.ts';

export interface QuestionProps {
  /** The name of the text in the query of the address. */
  readonly name: string;
  /** What to type, for those who do not see the placeholder. */
  readonly label: string;
  readonly placeholder: string;
  readonly button: string;
}

export function Question({ name, label, placeholder, button }: QuestionProps) {
  const text = useSignal(queryOf(name));
  const id = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    setQuery({ [name]: text.value.trim() });
  };
  return (
    <form onSubmit={submit}>
      <label for={id} class="unseen">
        {label}
      </label>
      <input
        {...{ id, placeholder }}
        value={text.value}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <button type="submit" class="main">
        {button}
      </button>
    </form>
  );
}
