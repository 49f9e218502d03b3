/**
 * The routes that answer questions. None of them changes anything.
 */
import type { FastifyInstance } from 'fastify';
import type { Picture } from '../../controller/picture.ts';
import type { RefusalReport } from '../../controller/refusal-log.ts';
import { PictureQuery, PictureReply, RefusalsQuery, RefusalsReply } from './insight-schema.ts';
import { replies } from './replies.ts';

export interface InsightControls {
  picture(query: PictureQuery): Promise<Picture>;
  refusals(query: RefusalsQuery): Promise<readonly RefusalReport[]>;
}

export function addInsightRoutes(server: FastifyInstance, controls: InsightControls): void {
  server.get('/v1/picture', { schema: { response: replies(PictureReply) } }, (request) =>
    controls.picture(PictureQuery.parse(request.query)),
  );
  server.get('/v1/refusals', { schema: { response: replies(RefusalsReply) } }, async (request) => ({
    reports: await controls.refusals(RefusalsQuery.parse(request.query)),
  }));
}
