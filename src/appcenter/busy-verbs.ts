import { APP_CTL } from './ctl.ts';

/**
 * Verbs of the app that change data, the member list, the settings or certificates, or start and stop etcd: no heal may
 * run beside them (docs/platform.md). `update` is confd's, and runs restarts and changes of TLS.
 */
const BUSY_VERBS = [
  'start',
  'stop',
  'restart',
  'update',
  'repair',
  'repairMinorityNode',
  'backup',
  'restore',
  'compact',
  'upgrade',
  'destroy',
  'scaleIn',
  'scaleOut',
] as const;

/** Those of them under which etcd is started on purpose on data that are not the old ones. */
const NEW_DATA_VERBS: readonly string[] = ['repair', 'restore', 'upgrade'];

/** The verbs of the app that run right now and that nothing may be done beside, by the command lines of all processes. */
export const busyVerbs = (commandLines: readonly (readonly string[])[]): string[] => {
  const running = commandLines.flatMap((words) =>
    words.includes(APP_CTL) ? (words[words.indexOf(APP_CTL) + 1] ?? []) : [],
  );
  return BUSY_VERBS.filter((verb) => running.includes(verb)).map((verb) => `${APP_CTL} ${verb}`);
};

/** Whether one of the app's verbs that replace the data on purpose is at work. */
export const replacesData = (busy: readonly string[]): boolean =>
  busy.some((text) => NEW_DATA_VERBS.includes(text.split(' ').at(-1) ?? ''));
