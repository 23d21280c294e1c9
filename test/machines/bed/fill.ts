/** Fills the cluster with values that do not compress: `fill.ts MEGABYTES ENDPOINT …`. */
export {};

const [megabytes, ...endpoints] = process.argv.slice(2);
const VALUE_BYTES = 512 * 1024;
const encode = (text: string): string => Buffer.from(text).toString('base64');

const value = new Uint8Array(VALUE_BYTES);
for (let n = 0; n * VALUE_BYTES < Number(megabytes) * 1e6; n++) {
  for (let at = 0; at < VALUE_BYTES; at += 65_536) crypto.getRandomValues(value.subarray(at, at + 65_536));
  const body = JSON.stringify({ key: encode(`fill/${n}`), value: Buffer.from(value).toString('base64') });
  const reply = await fetch(`${endpoints[n % endpoints.length]}/v3/kv/put`, { method: 'POST', body });
  if (!reply.ok) throw new Error(await reply.text());
  await reply.text();
}
