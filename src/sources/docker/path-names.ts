/**
 * Checks names of containers, networks and images before they become part of a request's path. The client library does
 * not encode them, so `../x` would be another request.
 */
import { EngineHttpError } from './errors.ts';

const simpleName = (kind: string) => (id: string) => {
  if (/^\w[\w.-]*$/.test(id)) return id;
  throw new EngineHttpError(`There is no ${kind} ${id}.`, { status: 404, detail: 'no such name' });
};

export const containerName = simpleName('container');
export const networkName = simpleName('network');

export function imageName(name: string): string {
  if (/^\w[\w.:@-]*(\/[\w.:@-]+)*$/.test(name) && !name.includes('..')) return name;
  throw new EngineHttpError(`There is no image ${name}.`, { status: 404, detail: 'no such name' });
}
