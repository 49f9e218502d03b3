/**
 * `egresstrator page`: serves the page until it is told to stop.
 */
import { assetPath, version } from '../../common/assets.ts';
import { printable } from '../../common/text.ts';
import type { Flags } from '../../config/config.ts';
import { resolvePageConfig } from '../../config/page-config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { servePage } from '../../page-server/serve-page.ts';
import { stopSignal } from '../stop-signal.ts';

/** Characters of a line. */
const MOST = 1_000;

export async function page(flags: Flags, { stdout, stderr, environment }: Terminal): Promise<void> {
  const config = resolvePageConfig(flags, environment);
  const resources = new AsyncDisposableStack();
  try {
    await servePage(
      {
        ...{ config, version: version(), assets: assetPath('dist/page') },
        print: (line) => stdout.write(`${printable(line, MOST)}\n`),
        report: (line) => stderr.write(`egresstrator page: ${printable(line, MOST)}\n`),
      },
      resources,
    );
    await stopSignal();
  } finally {
    await resources.disposeAsync();
  }
}
