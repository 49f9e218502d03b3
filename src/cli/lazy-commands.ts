/**
 * The commands, each in a file of its own that is imported only when it is called: a small command does not load the
 * code of others.
 */
import type { Terminal } from '../config/terminal.ts';
import type { Actions } from './program.ts';

export const createActions = (terminal: Terminal): Actions => ({
  run: async (flags) => (await import('./commands/run.ts')).run(flags, terminal),
  set: async (container, flags) => (await import('./commands/set.ts')).set(container, flags, terminal),
  clear: async (container, flags) => (await import('./commands/clear.ts')).clear(container, flags, terminal),
  render: async (container, flags) =>
    (await import('./commands/render.ts')).render(container, flags, terminal),
  health: async (flags) => (await import('./commands/health.ts')).health(flags, terminal),
  uninstall: async (flags) => (await import('./commands/uninstall.ts')).uninstall(flags, terminal),
  status: async (container, flags) =>
    (await import('./commands/status.ts')).status(container, flags, terminal),
  denied: async (container, flags) =>
    (await import('./commands/denied.ts')).denied(container, flags, terminal),
  explain: async (wanted, flags) => (await import('./commands/explain.ts')).explain(wanted, flags, terminal),
  suggest: async (container, flags) =>
    (await import('./commands/suggest.ts')).suggest(container, flags, terminal),
  lint: async (flags) => (await import('./commands/lint.ts')).lint(flags, terminal),
  keys: async (flags) => (await import('./commands/keys.ts')).keys(flags, terminal),
  doctor: async (flags) => (await import('./commands/doctor.ts')).doctor(flags, terminal),
  hostStatus: async (flags) => (await import('./commands/host.ts')).hostStatus(flags, terminal),
  hostRender: async (flags) => (await import('./commands/host.ts')).hostRender(flags, terminal),
  hostClear: async (flags) => (await import('./commands/host-clear.ts')).hostClear(flags, terminal),
  hostRestore: async (flags) => (await import('./commands/host-restore.ts')).hostRestore(flags, terminal),
  forwards: async (flags) => (await import('./commands/host.ts')).forwards(flags, terminal),
  createForwards: async (container, flags) =>
    (await import('./commands/forwards.ts')).createForwards(container, flags, terminal),
  deleteForwards: async (container, flags) =>
    (await import('./commands/forwards.ts')).deleteForwards(container, flags, terminal),
  ports: async (flags) => (await import('./commands/ports.ts')).ports(flags, terminal),
  setPort: async (wanted, flags) => (await import('./commands/ports.ts')).setPort(wanted, flags, terminal),
  diffNetworks: async (file, flags) =>
    (await import('./commands/networks.ts')).diffNetworks(file, flags, terminal),
  applyNetworks: async (file, flags) =>
    (await import('./commands/networks-apply.ts')).applyNetworks(file, flags, terminal),
  checkNetworks: async (file, flags) =>
    (await import('./commands/networks.ts')).checkNetworks(file, flags, terminal),
  page: async (flags) => (await import('./commands/page.ts')).page(flags, terminal),
  diff: async (key, flags) => (await import('./commands/diff.ts')).diff(key, flags, terminal),
});
