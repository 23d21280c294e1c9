/** Every kind of request that a client can send to a member, with a text of the client's choice in every field. */
import { connect as connectTcp } from 'node:net';
import { sleep, until } from '../bed/sh.ts';
import type { Etcd } from './etcd.ts';
import { FLAT_REPORT, SHORT } from './texts.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** A watch may wait for ever, and a member that panics does not answer. */
const limit = () => ({ signal: AbortSignal.timeout(30_000) });

/** What became of a request is not asked: refused ones are logged as well. */
async function post(
  etcd: Etcd,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(`${etcd.clientUrl}${path}`, {
    method: 'POST',
    body: text,
    headers,
    ...limit(),
  }).catch(() => undefined);
  return (await reply?.text()) ?? '';
}

/** gRPC by its gateway: the same server, the same log. Each row: the call, and the request with the text in it. */
const calls: readonly (readonly [path: string, body: (text: string) => unknown])[] = [
  ['/v3/kv/put', (t) => ({ key: base64(t), value: base64(t) })],
  ['/v3/kv/put', (t) => ({ key: base64(t), value: base64(t), lease: '4242' })],
  ['/v3/kv/put', (t) => ({ key: base64('k'), value: base64(t), lease: '-1', ignore_value: true })],
  ['/v3/kv/range', (t) => ({ key: base64(t), range_end: base64(t) })],
  ['/v3/kv/range', (t) => ({ key: base64(t), revision: '999999' })],
  ['/v3/kv/deleterange', (t) => ({ key: base64(t), range_end: base64(`${t}z`), prev_kv: true })],
  [
    '/v3/kv/txn',
    (t) => ({
      compare: [{ key: base64(t), target: 'VALUE', result: 'EQUAL', value: base64(t), range_end: base64(t) }],
      success: [{ requestPut: { key: base64(t), value: base64(t), lease: '4242' } }],
      failure: [
        { requestPut: { key: base64(t), value: base64(t), lease: '4242' } },
        { requestRange: { key: base64(t), revision: '999999' } },
        { requestDeleteRange: { key: base64(t) } },
      ],
    }),
  ],
  [
    '/v3/kv/txn',
    (t) => ({ success: [1, 2].map(() => ({ requestPut: { key: base64(t), value: base64(t) } })) }),
  ],
  ['/v3/kv/compaction', () => ({ revision: '999999', physical: true })],
  ['/v3/lease/grant', (t) => ({ TTL: t, ID: t })],
  ['/v3/lease/grant', () => ({ TTL: '-5', ID: '4243' })],
  ['/v3/lease/revoke', () => ({ ID: '4244' })],
  ['/v3/lease/timetolive', (t) => ({ ID: '4243', keys: true, x: t })],
  ['/v3/lease/keepalive', (t) => ({ ID: t })],
  ['/v3/cluster/member/update', (t) => ({ ID: '1', peerURLs: [t, `http://${t}`] })],
  ['/v3/cluster/member/add', (t) => ({ peerURLs: [t] })],
  ['/v3/cluster/member/remove', (t) => ({ ID: t })],
  ['/v3/cluster/member/promote', () => ({ ID: '5' })],
  ['/v3/maintenance/alarm', () => ({ action: 'ACTIVATE', memberID: '7', alarm: 'NONE' })],
  ['/v3/maintenance/alarm', (t) => ({ action: t, memberID: t, alarm: t })],
  ['/v3/maintenance/alarm', () => ({ action: 'DEACTIVATE', memberID: '7', alarm: 'NONE' })],
  ['/v3/maintenance/defragment', () => ({})],
  ['/v3/maintenance/snapshot', () => ({})],
  ['/v3/maintenance/hash', () => ({ revision: '999999' })],
  ['/v3/maintenance/status', () => ({})],
  ['/v3/maintenance/transfer-leadership', (t) => ({ targetID: t })],
  ['/v3/lock/lock', (t) => ({ name: base64(t), lease: '4242' })],
  ['/v3/election/campaign', (t) => ({ name: base64(t), value: base64(t), lease: '4242' })],
  ['/v3/auth/authenticate', (t) => ({ name: t, password: t })],
  ['/v3/auth/role/add', (t) => ({ name: t })],
  ['/v3/auth/role/add', (t) => ({ name: t })],
  ['/v3/auth/role/get', (t) => ({ role: t })],
  [
    '/v3/auth/role/grant',
    (t) => ({ name: t, perm: { permType: 'READWRITE', key: base64(t), range_end: base64(`${t}z`) } }),
  ],
  [
    '/v3/auth/role/grant',
    (t) => ({ name: t, perm: { permType: 'READ', key: base64(t), range_end: base64(`${t}z`) } }),
  ],
  ['/v3/auth/role/revoke', (t) => ({ role: t, key: base64(t), range_end: base64(`${t}z`) })],
  ['/v3/auth/user/add', (t) => ({ name: t, password: t })],
  ['/v3/auth/user/add', (t) => ({ name: t, password: t })],
  ['/v3/auth/user/get', (t) => ({ name: t })],
  ['/v3/auth/user/changepw', (t) => ({ name: t, password: `${t}2` })],
  ['/v3/auth/user/grant', (t) => ({ user: t, role: t })],
  ['/v3/auth/user/grant', (t) => ({ user: t, role: t })],
  ['/v3/auth/user/revoke', (t) => ({ name: t, role: t })],
  ['/v3/auth/authenticate', (t) => ({ name: t, password: 'wrong' })],
  ['/v3/auth/enable', () => ({})],
  ['/v3/auth/role/delete', (t) => ({ role: t })],
  ['/v3/auth/user/delete', (t) => ({ name: t })],
  ['/v3/kv/put', (t) => t],
  ['/v3/kv/put', (t) => ({ [t]: t })],
];

/** A watch stays open: what it is answered is read once. */
async function watch(etcd: Etcd, text: string): Promise<void> {
  const body = JSON.stringify({
    create_request: { key: base64(text), range_end: base64(`${text}z`), start_revision: '1' },
  });
  const reply = await fetch(`${etcd.clientUrl}/v3/watch`, { method: 'POST', body, ...limit() }).catch(
    () => undefined,
  );
  const reader = reply?.body?.getReader();
  await reader?.read();
  await reader?.cancel();
}

/** Of more than 100 ms etcd says so (etcdserver/util.go, warnApplyDuration). */
const TOO_LONG_MS = 130;

const KEYS = '/v2/keys';

type Request = readonly [path: string, init: RequestInit];

async function send(etcd: Etcd, requests: readonly Request[]): Promise<void> {
  for (const [path, init] of requests)
    await fetch(`${etcd.clientUrl}${path}`, { ...init, ...limit() })
      .then((reply) => reply.text())
      .catch(() => '');
}

const form = (fields: Readonly<Record<string, string>>): RequestInit => ({
  method: 'PUT',
  body: new URLSearchParams(fields),
});
const asJson = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: 'PUT',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

/** The v2 API: paths and values. */
function v2(etcd: Etcd, text: string): Promise<void> {
  const name = encodeURIComponent(text).slice(0, 4000);
  return send(etcd, [
    [`${KEYS}/${name}`, form({ value: text })],
    [`${KEYS}/${name}`, form({ value: text, ttl: text, prevIndex: text, prevExist: text })],
    [`${KEYS}/${name}`, form({ value: text, prevValue: text })],
    [`${KEYS}/${name}?recursive=${name}&wait=${name}`, {}],
    [`/v2/members/${name}`, asJson({ peerURLs: [text] })],
    ['/v2/members', { ...asJson({ peerURLs: [text], name: text }), method: 'POST' }],
    [`/v2/machines/${name}`, {}],
    ['/config/local/log', asJson({ Level: text })],
  ]);
}

const basic = (user: string, password: string) => ({
  Authorization: `Basic ${base64(`${user}:${password}`)}`,
});

/** The v2 API's own accounts: names of users and roles, and a caller who is none of them. */
function v2Accounts(etcd: Etcd, text: string): Promise<void> {
  const name = encodeURIComponent(text);
  const root = basic('root', 'secret');
  const permissions = { kv: { read: [`/${text}`], write: [`/${text}`] } };
  return send(etcd, [
    [`/v2/auth/roles/${name}`, asJson({ role: text, permissions })],
    [`/v2/auth/roles/${name}`, asJson({ role: text, grant: permissions })],
    [`/v2/auth/roles/${name}`, asJson({ role: text, revoke: permissions })],
    [`/v2/auth/users/${name}`, asJson({ user: text, password: text, roles: [text] })],
    [`/v2/auth/users/${name}`, asJson({ user: text, grant: [text], revoke: [`${text}2`] })],
    ['/v2/auth/users/root', asJson({ user: 'root', password: 'secret' })],
    ['/v2/auth/enable', { method: 'PUT' }],
    [`${KEYS}/${name}`, { ...form({ value: text }), headers: basic(text, 'wrong') }],
    [`${KEYS}/${name}`, { ...form({ value: text }), headers: basic(text, text) }],
    [`${KEYS}/${name}`, { ...form({ value: text }), headers: { Authorization: `Basic ${name}` } }],
    ['/v2/auth/roles/guest', { method: 'DELETE', headers: root }],
    [`${KEYS}/${name}`, form({ value: text })],
    [`/v2/auth/users/${name}`, { headers: basic(text, text) }],
    ['/v2/auth/enable', { method: 'DELETE', headers: root }],
    [`/v2/auth/users/${name}`, { method: 'DELETE' }],
    [`/v2/auth/roles/${name}`, { method: 'DELETE' }],
  ]);
}

/** Bytes to a port, as they are; waits for the answer's end, or a moment of silence. */
const raw = (port: number, bytes: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.end(Buffer.from(bytes, 'latin1')));
    socket.setTimeout(100, () => socket.destroy());
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });

const sized = (bytes: Buffer, octets: 1 | 2 | 3): Buffer => {
  const length = Buffer.alloc(octets);
  length.writeUIntBE(bytes.length, 0, octets);
  return Buffer.concat([length, bytes]);
};

/** A TLS ClientHello (RFC 8446, 4.1.2) for a server name, with no cipher that a server knows. */
function hello(name: string): string {
  const serverName = Buffer.concat([Buffer.from([0]), sized(Buffer.from(name), 2)]);
  const extension = Buffer.concat([Buffer.from([0, 0]), sized(sized(serverName, 2), 2)]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0x5a, 0x5a, 1, 0]),
    sized(extension, 2),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), sized(body, 3)]);
  return Buffer.concat([Buffer.from([0x16, 3, 1]), sized(handshake, 2)]).toString('latin1');
}

const portOf = (etcd: Etcd): number => Number(new URL(etcd.clientUrl).port);

/** HTTP paths and headers, on the clients' port and on the peers', which anybody can reach too; and what is no HTTP. */
async function http(etcd: Etcd, line: string, clusterId: string): Promise<void> {
  const path = encodeURIComponent(line);
  const flat = line.replace(/[^\x20-\x7e]/g, ' ');
  const headers = [
    'User-Agent',
    'X-Server-From',
    'X-Etcd-Cluster-ID',
    'X-Raft-To',
    'X-PeerURLs',
    'X-Server-Version',
    'X-Min-Cluster-Version',
    'Authorization',
    'Grpc-Metadata-token',
    'Origin',
    'Forwarded',
  ];
  const request = (at: string): string =>
    `GET ${at} HTTP/1.1\r\nHost: x\r\n${headers.map((name) => `${name}: ${flat}\r\n`).join('')}Connection: close\r\n\r\n`;
  const paths = [
    `/${path}`,
    `/raft/stream/message/${path}`,
    '/raft/stream/msgapp/1',
    `/raft/snapshot?${path}`,
    '/raft/probing',
    '/members',
    `/debug/vars?${path}`,
    '/version',
    '/metrics',
    '/health',
  ];
  const ports = [portOf(etcd), etcd.peerPort];
  const bytes = [
    ...paths.map(request),
    `${flat}\r\n\r\n`,
    `POST /raft HTTP/1.1\r\nHost: x\r\nX-Etcd-Cluster-ID: ${flat}\r\nContent-Length: ${flat.length}\r\n\r\n${flat}`,
    `GET / HTTP/1.1\r\n${flat}\r\n${flat}: x\r\n\r\n`,
    ...[flat, '1', clusterId].map(
      (id) =>
        `GET /raft/stream/message/${path} HTTP/1.1\r\nHost: x\r\nX-Server-Version: 3.4.0\r\nX-Min-Cluster-Version: 3.0.0\r\nX-Etcd-Cluster-ID: ${id}\r\nX-Raft-To: ${flat}\r\nX-Server-From: ${flat}\r\nX-PeerURLs: ${flat}\r\nConnection: close\r\n\r\n`,
    ),
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${flat}`,
    `PRI * HTTP/2.0\r\n\r\n${flat}`,
    `\x16\x03\x01\x00\xff${flat}`,
  ];
  await Promise.all(ports.flatMap((port) => bytes.map((text) => raw(port, text))));
  const tls = [hello(flat), hello(`\n${flat}\n`), `${flat}\r\n\r\n`];
  await Promise.all(tls.map((text) => raw(portOf(etcd) + 2, text)));
}

/** Lines that say that a request took too long: etcd is stopped again and again, with requests under way. */
async function tooLong(etcd: Etcd, texts: readonly string[]): Promise<void> {
  const requests = texts.flatMap((text) => [
    () => post(etcd, '/v3/kv/range', { key: base64(text), range_end: base64('\x7f') }),
    () =>
      post(etcd, '/v3/kv/txn', {
        success: [{ requestRange: { key: base64(text), range_end: base64('\x7f') } }],
      }),
    () => post(etcd, '/v3/kv/put', { key: base64(text), value: base64(text) }),
  ]);
  await until(
    'a request took too long',
    async () => {
      const pending = requests.map((request) => request());
      await Promise.race(pending);
      etcd.signal('SIGSTOP');
      await sleep(TOO_LONG_MS);
      etcd.signal('SIGCONT');
      await Promise.all(pending);
      return etcd.hasLogged('took too long', SHORT);
    },
    180_000,
    1,
  );
}

/** With authentication on, a name and a token are logged that the caller cannot prove. */
async function withAuth(etcd: Etcd, texts: readonly string[], lines: readonly string[]): Promise<void> {
  await post(etcd, '/v3/auth/user/add', { name: 'root', password: 'secret' });
  await post(etcd, '/v3/auth/user/grant', { user: 'root', role: 'root' });
  for (const text of texts) await post(etcd, '/v3/auth/user/add', { name: text, password: text });
  await post(etcd, '/v3/auth/enable', {});
  for (const text of texts) {
    await post(etcd, '/v3/auth/authenticate', { name: text, password: 'wrong' });
    const reply = await post(etcd, '/v3/auth/authenticate', { name: text, password: text });
    const { token = '' } = (reply.startsWith('{') ? JSON.parse(reply) : {}) as { token?: string };
    await post(etcd, '/v3/kv/put', { key: base64(text), value: base64(text) }, { Authorization: token });
    await post(etcd, '/v3/auth/user/delete', { name: text }, { Authorization: token });
  }
  for (const line of lines)
    await post(
      etcd,
      '/v3/kv/put',
      { key: base64('k') },
      { Authorization: line.replace(/[^\x20-\x7e]/g, ' ').slice(0, 300) },
    );
  const reply = await post(etcd, '/v3/auth/authenticate', { name: 'root', password: 'secret' });
  const { token = '' } = JSON.parse(reply) as { token?: string };
  await post(etcd, '/v3/auth/disable', {}, { Authorization: token });
}

/** Everything that a client can send, with every text. */
export async function attack(etcd: Etcd, texts: readonly string[], lines: readonly string[]): Promise<void> {
  // Whoever reaches its port can have etcd log each request (etcdserver/api/etcdhttp/base.go, logHandleFunc).
  await send(etcd, [['/config/local/log', asJson({ Level: 'DEBUG' })]]);
  for (const text of texts) {
    for (const [path, body] of calls) await post(etcd, path, body(text));
    await watch(etcd, text);
    await v2(etcd, text);
  }
  for (const text of [FLAT_REPORT, `\n${FLAT_REPORT}`]) await v2Accounts(etcd, text);
  const version = await fetch(`http://127.0.0.1:${etcd.peerPort}/members`);
  const clusterId = version.headers.get('X-Etcd-Cluster-ID') ?? '';
  await Promise.all(lines.map((line) => http(etcd, line, clusterId)));
  await withAuth(etcd, texts, lines);
  await tooLong(etcd, texts);
}

/** The last thing that a client can have logged before etcd is killed: nothing of etcd's own stands after it. */
export async function lastly(etcd: Etcd, text: string): Promise<void> {
  await send(etcd, [['/config/local/log', asJson({ Level: 'INFO' })]]);
  await post(etcd, '/v3/auth/user/add', { name: `last${text}`, password: 'x' });
}

/**
 * A value that etcd 3.4 panics with, on every member, wherever the v2 API is on: a key that looks like a member's
 * attributes (etcdserver/apply_v2.go, applierV2store.Put).
 */
export const panicWith = (etcd: Etcd, text: string): Promise<unknown> =>
  fetch(`${etcd.clientUrl}${KEYS}/0/members/1/attributes`, {
    method: 'PUT',
    body: new URLSearchParams({ value: text }),
    ...limit(),
  }).catch(() => undefined);
