import { APP_CTL } from './ctl.ts';

/** Verbs of the app that change data or the member list: no heal may run beside them (docs/platform.md). */
const BUSY_VERBS = [
  'repair',
  'repairMinorityNode',
  'backup',
  'restore',
  'compact',
  'upgrade',
  'destroy',
] as const;

/** Those of them that run right now, by the command lines of all processes. */
export const busyVerbs = (commandLines: readonly (readonly string[])[]): string[] => {
  const running = commandLines.flatMap((words) =>
    words.includes(APP_CTL) ? (words[words.indexOf(APP_CTL) + 1] ?? []) : [],
  );
  return BUSY_VERBS.filter((verb) => running.includes(verb)).map((verb) => `${APP_CTL} ${verb}`);
};
