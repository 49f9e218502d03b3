/**
 * Options of the Docker Engine and of the way into namespaces.
 */
import type { OptionSpec } from './option-spec.ts';

export const ENGINE_OPTIONS = {
  dockerHost: {
    flags: '-H, --docker-host <address>',
    variable: 'DOCKER_HOST',
    fallback: 'unix:///var/run/docker.sock',
    help: 'Docker Engine address',
  },
  image: {
    flags: '-i, --image <name>',
    variable: 'EGRESSTRATOR_IMAGE',
    help: "helper image (default: the controller's own image, else egresstrator-helper:<version>)",
  },
  loader: {
    flags: '--loader <helper|nsenter|auto>',
    variable: 'EGRESSTRATOR_LOADER',
    fallback: 'auto',
    help: 'load rules by a helper container, by nsenter, or by nsenter where possible',
  },
} as const satisfies Record<string, OptionSpec>;
