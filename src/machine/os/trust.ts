/** Why a file with this owner and mode is not root's alone; undefined when it is. */
export const whyUntrusted = (path: string, uid: number, mode: number): string | undefined =>
  uid === 0 && (mode & 0o022) === 0
    ? undefined
    : `${path} can be written by others than root (owner ${uid}, mode ${(mode & 0o7777).toString(8)}); make it root's with mode 0600 or 0644.`;
