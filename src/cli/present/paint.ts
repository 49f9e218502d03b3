/**
 * Colour on a terminal, and nothing anywhere else.
 */
import { styleText } from 'node:util';
import { type Terminal, wantsColour } from '../output.ts';

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;

const coloured: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

export const paintFor = ({ stdout, environment }: Terminal): Paint =>
  wantsColour(stdout, environment) ? coloured : plain;
