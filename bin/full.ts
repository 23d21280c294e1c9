import { runHook } from '../hooks/hooks.ts';
import { APP_CTL_ORIGINAL } from '../src/appcenter/ctl.ts';
import { isHookName } from '../src/appcenter/own-command.ts';
import { runInstead } from '../src/appcenter/run-app.ts';
import { main } from '../src/cli/main.ts';

export { notHealthy, runDeepCheck, runInstead, sayUnusable } from '../hooks/hooks.ts';

/** Everything but the healthy check: the hook of that name, the app's own script, else the operator's command. Returns the exit code. */
export async function run(name: string, words: readonly string[]): Promise<number> {
  if (name === 'ctl.sh') return runInstead([APP_CTL_ORIGINAL, ...words]);
  return isHookName(name) ? runHook(name) : main(words);
}
