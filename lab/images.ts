/** The images of the lab, by what they are for. Each call makes sure of one and returns its name. */
import { baseRecipe } from './images/base.ts';
import { escapeRecipe } from './images/escape.ts';
import { ensureImage } from './images/import.ts';
import { workloadRecipe } from './images/workload.ts';

/** Busybox and nothing else: sh, nc, wget, httpd, ping, nslookup; sleeps by default. */
export async function ensureWorkloadImage(socketPath: string): Promise<string> {
  return ensureImage(await workloadRecipe(), socketPath);
}

/** For `--build-arg BASE_IMAGE=…`: Debian with Node 24 and npm, where npm and apt-get find their way. */
export async function ensureBaseImage(socketPath: string): Promise<string> {
  return ensureImage(await baseRecipe(), socketPath);
}

/** Debian with Python, ip and ping; sleeps by default. */
export async function ensureEscapeImage(socketPath: string): Promise<string> {
  return ensureImage(escapeRecipe(), socketPath);
}
