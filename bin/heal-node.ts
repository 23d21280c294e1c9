import { healthCheck } from '../hooks/health-check.ts';
import { hookOfVerb } from '../src/appcenter/ctl.ts';

/**
 * The one executable: called by the name of a hook it is that hook, else the operator's command.
 *
 * This file and what it imports are all that the healthy check loads. Everything else is compiled as an entry of
 * its own (scripts/build.ts) and is not even read until it is asked for here.
 */
const full = (): Promise<typeof import('./full.ts')> => import(FULL);
const FULL: string = './full.js';

async function main(): Promise<number> {
  const name = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);
  const words = process.argv.slice(2);
  const called = name === 'ctl.sh' ? hookOfVerb(words) : name;
  if (called === 'health-check') return healthCheck(full);
  return (await full()).run(called, words);
}

main().then(
  // etcd's connections and open handles must not keep a hook alive after it has its answer.
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`heal-node: ${error.message}`);
    process.exit(1);
  },
);
