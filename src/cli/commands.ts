/**
 * The commands by name, each in a file of its own.
 */
import { clear } from './commands/clear.ts';
import { render } from './commands/render.ts';
import { run } from './commands/run.ts';
import { set } from './commands/set.ts';
import type { Terminal } from './output.ts';
import type { Actions } from './program.ts';

export const createActions = (terminal: Terminal): Actions => ({
  run: (flags) => run(flags, terminal),
  set: (container, flags) => set(container, flags, terminal),
  clear: (container, flags) => clear(container, flags, terminal),
  render: (container, flags) => render(container, flags, terminal),
});
