/**
 * Every text, title and label that is shown passes here, as others wrote many of them: control characters, and those that are
 * invisible or reorder others, are written as `\u202e`. No screen has to think of it. What is
 * copied is made so by copy.tsx.
 */
import { options } from 'preact';
import { printableLines } from '../../src/common/text.ts';

/** Attributes that people read or hear. */
const READ = ['title', 'aria-label', 'placeholder', 'alt'] as const;

/** Call it once, before anything is rendered. */
export function showAllCharacters(): void {
  const previous = options.vnode;
  options.vnode = (vnode) => {
    // A text is a node without a type.
    if (typeof vnode.props === 'string') Reflect.set(vnode, 'props', printableLines(vnode.props));
    else if (typeof vnode.type === 'string') showAttributes(vnode.props);
    previous?.(vnode);
  };
}

function showAttributes(props: object): void {
  for (const name of READ) {
    const text: unknown = Reflect.get(props, name);
    if (typeof text === 'string') Reflect.set(props, name, printableLines(text));
  }
}
