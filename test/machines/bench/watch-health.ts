/** Prints a line whenever a member's `/health` changes between healthy and not: `watch-health.ts ENDPOINT`. */
export {};

const [endpoint] = process.argv.slice(2);
let last: boolean | undefined;
for (;;) {
  const healthy = await fetch(`${endpoint}/health`, {
    signal: AbortSignal.timeout(500),
    keepalive: false,
  }).then(
    async (reply) => (await reply.text()).includes('"true"'),
    () => false,
  );
  if (healthy !== last) process.stdout.write(`${Date.now()} ${healthy ? 'healthy' : 'not'}\n`);
  last = healthy;
  await new Promise((resolve) => setTimeout(resolve, 5));
}
