/** What `make` returns; undefined where it throws, as of what has just ended, or of a text that is not what it should be. */
export const attempt = <T>(make: () => T): T | undefined => {
  try {
    return make();
  } catch {
    return undefined;
  }
};
