/**
 * A client that watches a prefix and prints every key that it is told of: `watcher.ts PREFIX ENDPOINT …`. When its
 * member goes away it goes on at the next one, from the revision after the last that it has seen.
 */
export {};

const [prefix = '', ...endpoints] = process.argv.slice(2);
const encode = (text: string): string => Buffer.from(text).toString('base64');
const end = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;

interface Settled {
  readonly result?: {
    readonly events?: readonly { readonly kv: { readonly key: string; readonly mod_revision: string } }[];
  };
}

let next = 1;
for (let at = 0; ; at++) {
  try {
    const reply = await fetch(`${endpoints[at % endpoints.length]}/v3/watch`, {
      method: 'POST',
      body: JSON.stringify({
        create_request: { key: encode(prefix), range_end: encode(end), start_revision: `${next}` },
      }),
    });
    let rest = '';
    for await (const chunk of reply.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(Boolean)) {
        for (const { kv } of (JSON.parse(line) as Settled).result?.events ?? []) {
          process.stdout.write(`${Buffer.from(kv.key, 'base64').toString()}\n`);
          next = Number(kv.mod_revision) + 1;
        }
      }
    }
  } catch {
    // Its member has gone away.
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
}
