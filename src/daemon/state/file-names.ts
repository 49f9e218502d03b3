/**
 * All files of the state folder: uninstall removes these and no others.
 */
export const STATE_FILES = {
  known: 'known.json',
  loads: 'loads.json',
  denied: 'denied.json',
  overrides: 'overrides.json',
  holder: 'controller.json',
} as const;
