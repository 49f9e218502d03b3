/**
 * How a part of a text is marked, where there are colours.
 */
export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
export type Style = (colour: Colour, text: string) => string;

export const plain: Style = (_colour, text) => text;
