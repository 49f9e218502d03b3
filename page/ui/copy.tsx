/**
 * Texts to copy: commands and lines. The page changes nothing by itself, so this is how things get done.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { printableLines } from '../../src/common/text.ts';
import { Icon } from './icon.tsx';

/** Milliseconds for which it says "copied". */
const SHOWN = 2_000;

/**
 * False if the browser allows no access to the clipboard, as without TLS. What is copied is what is shown: characters that
 * control a terminal would end a quoted word when they are pasted, and a link from elsewhere can bring them.
 */
async function copied(original: string): Promise<boolean> {
  const text = printableLines(original);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

function copiedBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'offscreen';
  document.body.append(field);
  const focused = document.activeElement;
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

type Result = 'none' | 'copied' | 'failed';

const WORDS: Readonly<Record<Result, string>> = { none: '', copied: 'copied', failed: 'cannot copy' };

/** `children`: what it says; without them it is a symbol. `label`: what it copies, for readers. */
export function CopyButton({
  text,
  label,
  children,
  isPlain = false,
}: {
  /** A function is asked when it is pressed. */
  readonly text: string | (() => string);
  readonly label: string;
  readonly children?: ComponentChildren;
  readonly isPlain?: boolean;
}) {
  const result = useSignal<Result>('none');
  useEffect(() => {
    if (result.value === 'none') return;
    const timer = setTimeout(() => {
      result.value = 'none';
    }, SHOWN);
    return () => clearTimeout(timer);
  }, [result.value]);
  const press = async () => {
    result.value = (await copied(typeof text === 'string' ? text : text())) ? 'copied' : 'failed';
  };
  const isDone = result.value !== 'none';
  return (
    <button
      type="button"
      class={`copy ${children === undefined || isPlain ? 'plain' : 'small'} ${result.value}`}
      {...(children === undefined && { 'aria-label': `Copy ${label}` })}
      title={children === undefined || typeof text !== 'string' ? `Copy ${label}` : text}
      onClick={press}
    >
      <span class="label">
        <Icon name={isDone && children === undefined ? 'tick' : 'copy'} />
        {children}
      </span>
      {isDone && (
        <span class="outcome">
          {children !== undefined && <Icon name="tick" />}
          {WORDS[result.value]}
        </span>
      )}
      {children !== undefined && <span class="unseen">: copy {label}</span>}
      <span class="unseen" aria-live="polite">
        {WORDS[result.value]}
      </span>
    </button>
  );
}

/** A command or a text in full, with its button. */
export const Command = ({
  text,
  label = 'the command',
}: {
  readonly text: string;
  readonly label?: string;
}) => (
  <div class="command">
    <code>{text}</code>
    <CopyButton text={text} label={label} />
  </div>
);
