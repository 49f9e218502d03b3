/**
 * `egresstrator status`: shows the state of this host, from the running controller.
 */

import { UsageError, UserError } from '../../common/errors.ts';
import { type Flags, PUBLISHED } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient } from '../../daemon/api/client.ts';
import { NamespaceReply } from '../../daemon/api/diagnostics-schema.ts';
import { StatusReply } from '../../daemon/api/schema.ts';
import { parseHostStatus } from '../../daemon/host-status.ts';
import { isListening } from '../../http/unix-socket.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { formatCluster } from '../format/cluster.ts';
import { formatContainer } from '../format/container.ts';
import { formatStatus } from '../format/status.ts';

export async function status(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { config, output, style } = context;
  if (flags.cluster === true) return cluster(container, context);
  if (!(await isListening(config.socket))) {
    throw new UserError(
      `no controller answers at ${config.socket}; start one, or give its --socket (loaded rules stay in force without it)`,
    );
  }
  const client = new ApiClient(config.socket);
  const now = Date.now();
  if (container === undefined) {
    const all = await client.get('/v1/status', StatusReply);
    return output.result(all, (seen) => formatStatus(seen, now, style));
  }
  const one = await client.get(`/v1/namespace?${new URLSearchParams({ container })}`, NamespaceReply);
  const { namespace, ingress } = one;
  output.result(one, (seen) => formatContainer(seen, now, style), {
    ...namespace,
    ...(ingress && { ingress }),
  });
}

/** Every host that has published its status. */
async function cluster(
  container: string | undefined,
  { config, output, style }: CommandContext,
): Promise<void> {
  if (container !== undefined) throw new UsageError('give either a container or --cluster');
  const folder = config.publish ?? PUBLISHED;
  const { StatusPublisher } = await import('../../sources/consul/status-publisher.ts');
  const texts = await new StatusPublisher(config.consul, folder).read();
  const hosts = [...texts].map(([node, text]) => ({ node, hostStatus: parseHostStatus(text) }));
  if (hosts.length === 0)
    throw new UserError(`no host has published its status below ${folder}; run controllers with --publish`);
  output.result({ hosts }, (seen) => formatCluster(seen.hosts, Date.now(), style));
}
