/**
 * Names of containers and images as parts of a request's path. The client library puts them there as they are, so
 * that `../x` would be another request.
 */
import { EngineHttpError } from './errors.ts';

export function containerName(id: string): string {
  if (/^\w[\w.-]*$/.test(id)) return id;
  throw new EngineHttpError(`There is no container ${id}.`, { status: 404, detail: 'no such name' });
}

export function imageName(name: string): string {
  if (/^\w[\w.:@-]*(\/[\w.:@-]+)*$/.test(name) && !name.includes('..')) return name;
  throw new EngineHttpError(`There is no image ${name}.`, { status: 404, detail: 'no such name' });
}
