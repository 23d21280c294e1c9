/** `metadata.ts ADDRESS FOLDER`: answers `GET /self/env/KEY` with the file of that name, as the platform's service does. */
import { join } from 'node:path';

const [hostname = '', folder = ''] = process.argv.slice(2);
Bun.serve({
  hostname,
  port: 80,
  fetch: async ({ url }) => {
    const [, key = ''] = /\/self\/env\/(\w+)$/.exec(url) ?? [];
    const file = Bun.file(join(folder, key));
    return key !== '' && (await file.exists())
      ? new Response(await file.text())
      : new Response('', { status: 404 });
  },
});
console.log('listens');
