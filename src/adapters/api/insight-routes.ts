/**
 * The routes that answer questions. None of them changes anything.
 */
import type { FastifyInstance } from 'fastify';
import type { Picture } from '../../controller/picture.ts';
import type { RefusalReport } from '../../controller/refusal-log.ts';
import { PictureQuery, PictureReply, RefusalsQuery, RefusalsReply } from './insight-schema.ts';
import { jsonSchema, replies } from './replies.ts';

export interface InsightControls {
  picture(query: PictureQuery): Promise<Picture>;
  refusals(query: RefusalsQuery): Promise<readonly RefusalReport[]>;
}

export function addInsightRoutes(server: FastifyInstance, controls: InsightControls): void {
  const picture = { querystring: jsonSchema(PictureQuery), response: replies(PictureReply) };
  server.get('/v1/picture', { schema: picture }, (request) =>
    controls.picture(PictureQuery.parse(request.query)),
  );
  const refusals = { querystring: jsonSchema(RefusalsQuery), response: replies(RefusalsReply) };
  server.get('/v1/refusals', { schema: refusals }, async (request) => ({
    reports: await controls.refusals(RefusalsQuery.parse(request.query)),
  }));
}
