/**
 * The files of the state folder: all of them, as uninstalling removes these and nothing else there.
 */
export const STATE_FILES = {
  known: 'known.json',
  loads: 'loads.json',
  denied: 'denied.json',
  overrides: 'overrides.json',
  holder: 'controller.json',
} as const;
