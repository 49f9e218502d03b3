/**
 * The files of the state folder: all of them, as uninstalling removes these and nothing else there.
 */
export const STATE_FILES = { known: 'known.json', loads: 'loads.json' } as const;
