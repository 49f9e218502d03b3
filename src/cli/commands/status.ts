/**
 * `egresstrator status`: shows the state of this host, from the running controller.
 */

import { UsageError, UserError } from '../../common/errors.ts';
import { type Flags, PUBLISHED } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient, isListening } from '../../daemon/api/client.ts';
import { StatusReply } from '../../daemon/api/schema.ts';
import { parseHostStatus } from '../../daemon/host-status.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { formatCluster } from '../format/cluster.ts';
import { formatNamespace, formatStatus, type NamespaceStatus, type Status } from '../format/status.ts';

export async function status(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const asking = commandContext(flags, terminal);
  const { config, output, paint } = asking;
  if (flags.cluster === true) return cluster(container, asking);
  if (!(await isListening(config.socket))) {
    throw new UserError(
      `no controller answers at ${config.socket}; start one, or give its --socket (loaded rules stay in force without it)`,
    );
  }
  const all = await new ApiClient(config.socket).get('/v1/status', StatusReply);
  const now = Date.now();
  if (container === undefined) return output.result(all, (seen) => formatStatus(seen, now, paint));
  const one = pick(all, container);
  const setting = { loader: all.controller?.loader, recordsDenied: all.recordsDenied };
  output.result({ one, setting }, (seen) => formatNamespace(seen.one, seen.setting, now, paint), one);
}

/** Every host that has published its status. */
async function cluster(
  container: string | undefined,
  { config, output, paint }: CommandContext,
): Promise<void> {
  if (container !== undefined) throw new UsageError('give either a container or --cluster');
  const folder = config.publish ?? PUBLISHED;
  const { StatusPublisher } = await import('../../sources/consul/status-publisher.ts');
  const texts = await new StatusPublisher(config.consul, folder).read();
  const hosts = [...texts].map(([node, text]) => ({ node, hostStatus: parseHostStatus(text) }));
  if (hosts.length === 0)
    throw new UserError(`no host has published its status below ${folder}; run controllers with --publish`);
  output.result({ hosts }, (seen) => formatCluster(seen.hosts, Date.now(), paint));
}

function pick({ namespaces, refused }: Status, word: string): NamespaceStatus {
  const found = namespaces.find(
    ({ id, workloads, target }) =>
      workloads.includes(word) || target === word || (/^[0-9a-f]{4,64}$/.test(word) && id.startsWith(word)),
  );
  if (found !== undefined) return found;
  const hopeless = refused.find(({ name }) => name === word);
  if (hopeless !== undefined) throw new UserError(`${word}: ${hopeless.problem.reason}`);
  throw new UserError(
    `no container "${word}" with EGRESSTRATOR_ENABLE=1 runs here; "egresstrator status" lists those that do`,
  );
}
