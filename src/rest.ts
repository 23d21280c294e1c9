import { isHookName, runHook } from '../hooks/hooks.ts';
import { main } from './cli/main.ts';

export { runDeepCheck } from '../hooks/deep-check.ts';
export { runInstead } from './app/run-app.ts';

/** Everything but the healthy check: the hook of that name, else the operator's command. Returns the exit code. */
export const run = (name: string, words: readonly string[]): Promise<number> =>
  isHookName(name) ? runHook(name) : main(words);
