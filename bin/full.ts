import { runHook } from '../hooks/hooks.ts';
import { isHookName } from '../src/appcenter/own-command.ts';
import { main } from '../src/cli/main.ts';

export { runDeepCheck } from '../hooks/hooks.ts';
export { runInstead } from '../src/appcenter/run-app.ts';

/** Everything but the healthy check: the hook of that name, else the operator's command. Returns the exit code. */
export const run = (name: string, words: readonly string[]): Promise<number> =>
  isHookName(name) ? runHook(name) : main(words);
