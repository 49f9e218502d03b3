/**
 * Colour on a terminal; plain text elsewhere.
 */
import { styleText } from 'node:util';
import { type Terminal, wantsColour } from '../../config/terminal.ts';

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
export type Style = (colour: Colour, text: string) => string;

export const plain: Style = (_colour, text) => text;

const coloured: Style = (colour, text) => styleText(colour, text, { validateStream: false });

export const styleFor = ({ stdout, environment }: Terminal): Style =>
  wantsColour(stdout, environment) ? coloured : plain;
