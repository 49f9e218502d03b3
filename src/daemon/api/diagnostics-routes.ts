/**
 * The routes that answer questions. None of them changes anything.
 */
import type { FastifyInstance } from 'fastify';
import type { Snapshot } from '../../diagnostics/snapshot.ts';
import type { DeniedReport } from '../deny-log.ts';
import { DeniedQuery, DeniedReply, SnapshotQuery, SnapshotReply } from './diagnostics-schema.ts';
import { jsonSchema, replies } from './replies.ts';

export interface DiagnosticsControls {
  snapshot(query: SnapshotQuery): Promise<Snapshot>;
  denied(query: DeniedQuery): Promise<readonly DeniedReport[]>;
}

export function addDiagnosticsRoutes(server: FastifyInstance, controls: DiagnosticsControls): void {
  const picture = { querystring: jsonSchema(SnapshotQuery), response: replies(SnapshotReply) };
  server.get('/v1/snapshot', { schema: picture }, (request) =>
    controls.snapshot(SnapshotQuery.parse(request.query)),
  );
  const refusals = { querystring: jsonSchema(DeniedQuery), response: replies(DeniedReply) };
  server.get('/v1/refusals', { schema: refusals }, async (request) => ({
    reports: await controls.denied(DeniedQuery.parse(request.query)),
  }));
}
