/**
 * A client that writes one key after the other, as fast as they are acknowledged, and prints each key that was.
 * It runs in the machines' network, as a process of its own:
 * `writer.ts PREFIX PAUSE_MS CERTIFICATES USER:PASSWORD ENDPOINT …`, with an empty word for what is not needed. What is
 * not acknowledged is asked of the next endpoint under a new key, so every printed key was acknowledged exactly once.
 */
export {};

const [prefix = '', pauseMs, certificates = '', user = '', ...endpoints] = process.argv.slice(2);
const encode = (text: string): string => Buffer.from(text).toString('base64');
const certificate = (name: string) => Bun.file(`${certificates}/${name}.pem`);
const tls = certificates && {
  ca: certificate('ca'),
  cert: certificate('client'),
  key: certificate('client-key'),
  // By their addresses, which their certificates do not name.
  checkServerIdentity: () => undefined,
};

let at = 0;
let token = '';

async function post(path: string, body: object): Promise<string> {
  const reply = await fetch(`${endpoints[at % endpoints.length]}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2000),
    ...(token && { headers: { Authorization: token } }),
    ...(tls && { tls }),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(text);
  return text;
}

for (let n = 1; ; n++) {
  const key = `${prefix}${String(n).padStart(7, '0')}`;
  try {
    if (user !== '' && token === '') {
      const [name, password] = user.split(':');
      token = JSON.parse(await post('auth/authenticate', { name, password })).token;
    }
    await post('kv/put', { key: encode(key), value: encode(`value of ${key}`) });
    process.stdout.write(`${key}\n`);
  } catch (error) {
    console.error(`${endpoints[at % endpoints.length]}: ${(error as Error).message}`);
    at++;
    // A member that was away may not know the token any more.
    token = '';
  }
  await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
}
