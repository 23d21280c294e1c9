import { APP_CTL } from './ctl.ts';

/** Verbs under which etcd is started on purpose on data that are not the old ones. */
const NEW_DATA_VERBS = ['repair', 'restore', 'upgrade'];
/** Verbs that start and stop etcd or change its settings and certificates: `update` is confd's, and does all of that. */
const RESTART_VERBS = ['start', 'stop', 'restart', 'update', 'destroy'];
/** Verbs that change data or the member list otherwise. */
const CHANGE_VERBS = ['repairMinorityNode', 'backup', 'compact', 'scaleIn', 'scaleOut'];

/** No heal may run beside any of them (docs/platform.md). */
const BUSY_VERBS = [...NEW_DATA_VERBS, ...RESTART_VERBS, ...CHANGE_VERBS];

/** The app's script, and where the shim stands in its place: by its path, or by one from a directory of an operator's. */
const CTL = /^(?:\/opt\/app\/bin\/|(?:[^/]+\/)*)ctl\.sh(?:\.app)?$/;

/** The verbs of the app that run right now and that nothing may be done beside, by the command lines of all processes. */
export const busyVerbs = (commandLines: readonly (readonly string[])[]): string[] => {
  // A script's interpreter stands before it: where the path itself runs it is heal-node, and a hook is no verb of the app.
  const isShim = commandLines.some(([program = '']) => CTL.test(program) && program.endsWith('.sh'));
  const isApp = (word: string): boolean => CTL.test(word) && !(isShim && word.endsWith('.sh'));
  const running = commandLines.flatMap((words) => words.filter((_, at) => isApp(words[at - 1] ?? '')));
  return BUSY_VERBS.filter((verb) => running.includes(verb)).map((verb) => `${APP_CTL} ${verb}`);
};

/** heal-node's own hooks in the place of the app's start and stop: they ask for heals, and nothing is restarted beside them. */
const OWN_HOOK = /(?:^|\/)(?:heal-node\/bin\/|ctl\.sh )(?:start|stop)$/;
export const ownHooks = (commandLines: readonly (readonly string[])[]): string[] =>
  commandLines.map((words) => words.slice(0, 2).join(' ').trim()).filter((call) => OWN_HOOK.test(call));

/** Whether one of the app's verbs that replace the data on purpose is at work. */
export const replacesData = (busy: readonly string[]): boolean =>
  busy.some((text) => NEW_DATA_VERBS.includes(text.split(' ').at(-1) ?? ''));
