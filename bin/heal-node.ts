import { isHookName, runHook } from '../hooks/hooks.ts';

/**
 * The one executable: called by the name of a hook it is that hook, else the operator's command. Everything but
 * the healthy check is loaded only when it is wanted.
 */
async function main(): Promise<number> {
  const name = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);
  const words = process.argv.slice(2);
  const hook = words[0] === 'hook' && words.length === 2 ? (words[1] ?? '') : name;
  if (isHookName(hook)) return runHook(hook);
  return (await import('../src/cli/main.ts')).main(words);
}

main().then(
  // etcd's connections and open handles must not keep a hook alive after it has its answer.
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`heal-node: ${error.message}`);
    process.exit(1);
  },
);
