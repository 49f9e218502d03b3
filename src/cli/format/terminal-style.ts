/**
 * Colour on a terminal; plain text elsewhere.
 */
import { styleText } from 'node:util';
import { type Terminal, wantsColour } from '../../config/terminal.ts';
import { plain, type Style } from '../../format/style.ts';

const coloured: Style = (colour, text) => styleText(colour, text, { validateStream: false });

export const styleFor = ({ stdout, environment }: Terminal): Style =>
  wantsColour(stdout, environment) ? coloured : plain;
