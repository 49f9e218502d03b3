/** What an attacker would bring along: raw sockets by Python, and the tools to look at the network. */
import { makeDebianTar } from './debian.ts';
import { idle, type Recipe } from './import.ts';

const packages = ['python3-minimal', 'iproute2', 'iputils-ping'];

export function escapeRecipe(): Recipe {
  return {
    name: 'escape',
    tag: 'latest',
    ingredients: packages,
    changes: [idle],
    makeTar: (file) => makeDebianTar(file, { packages }),
  };
}
