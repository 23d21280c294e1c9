/**
 * A client that writes one key after the other, as fast as they are acknowledged, and prints each key that was.
 * It runs in the machines' network, as a process of its own: `writer.ts PREFIX PAUSE_MS ENDPOINT …`. What is not acknowledged is
 * asked of the next endpoint under a new key, so every printed key was acknowledged exactly once.
 */
export {};

const [prefix = '', pauseMs, ...endpoints] = process.argv.slice(2);
const encode = (text: string): string => Buffer.from(text).toString('base64');

let at = 0;
for (let n = 1; ; n++) {
  const key = `${prefix}${String(n).padStart(7, '0')}`;
  try {
    const reply = await fetch(`${endpoints[at % endpoints.length]}/v3/kv/put`, {
      method: 'POST',
      body: JSON.stringify({ key: encode(key), value: encode(`value of ${key}`) }),
      signal: AbortSignal.timeout(2000),
    });
    if (!reply.ok) throw new Error(await reply.text());
    await reply.text();
    process.stdout.write(`${key}\n`);
  } catch {
    at++;
  }
  await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
}
