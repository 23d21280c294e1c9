/** The app's own script: `ctl.sh VERB` (docs/platform.md). */
export const APP_CTL = '/opt/app/bin/ctl.sh';
/** The same where `install --shim` has put a link to heal-node in its place. */
export const APP_CTL_ORIGINAL = `${APP_CTL}.app`;

/** The hooks that heal-node is for these verbs, when it is called by that link. */
const hooks = () =>
  Object.entries({ check: 'health-check', restart: 'health-action', start: 'start', stop: 'stop' });

/**
 * What a call of `ctl.sh` is: a hook's name, or `ctl.sh` for what the app's own script is to do: every other verb, and
 * what heal-node itself, or the app's script below it, calls (`CTL_SH_APP`, which src/machine/os/run.ts hands on).
 */
export const hookOfVerb = (words: readonly string[]): string =>
  (words.length === 1 && !process.env.CTL_SH_APP && new Map(hooks()).get(words[0] ?? '')) || 'ctl.sh';
