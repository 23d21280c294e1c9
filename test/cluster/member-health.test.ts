import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memberHealth } from '../../src/cluster/member-health.ts';

/** Of a server that does this with whoever connects; nobody listens there where it does nothing. */
async function askedOf(answers: 'never' | 'not at all' | 'in other words') {
  const server = createServer((socket) => {
    if (answers === 'in other words') socket.end('\x15\x03\x01\0\x02\x02\x16');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  if (answers === 'not at all') server.close();
  const asked = await memberHealth(`http://127.0.0.1:${port}`, undefined, 500);
  server.close();
  return asked;
}

test('who is late may answer yet, and so may an etcd that is being started; who speaks otherwise does not', async () => {
  for (const [how, mayAnswer] of [
    ['never', true],
    ['not at all', true],
    ['in other words', false],
  ] as const) {
    const asked = await askedOf(how);
    assert.is(asked.state, 'none', how);
    assert.is(asked.state === 'none' && asked.mayAnswer, mayAnswer, `${how}: ${JSON.stringify(asked)}`);
  }
});

test('no proxy of whoever has called us stands between members', async () => {
  const proxy = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('no', { status: 403 }),
  });
  const etcd = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('{"health":"true"}'),
  });
  const before = { ...process.env };
  Object.assign(process.env, {
    http_proxy: proxy.url.href,
    HTTP_PROXY: proxy.url.href,
    no_proxy: 'example.com',
  });
  try {
    assert.is((await memberHealth(`http://127.0.0.1:${etcd.port}`, undefined, 2000)).state, 'true');
  } finally {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await Promise.all([proxy.stop(true), etcd.stop(true)]);
  }
});

test.run();
