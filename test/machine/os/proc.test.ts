import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listeningSockets, localAddresses, reach } from '../../../src/machine/os/network.ts';
import { parseProcess, sampleProcess } from '../../../src/machine/os/process.ts';

test('the state, the CPU ticks and the bytes of a process, whatever its name', () => {
  const stat = '1234 (etcd) T (x) S 1 1234 1234 0 -1 4194560 100 0 0 0 52 17 0 0 20 0';
  const io = 'rchar: 10\nwchar: 20\nsyscr: 5\nread_bytes: 4096\nwrite_bytes: 0\n';
  assert.equal(parseProcess(stat, io), { state: 'S', cpuTicks: 69, ioBytes: 4126 });
  assert.is(parseProcess('', ''), undefined);
});

test('this very process has a sample, and one that is not there has none', () => {
  assert.ok((sampleProcess(process.pid)?.ioBytes ?? 0) > 0);
  assert.is(sampleProcess(2 ** 22 + 1), undefined);
});

test('listening sockets of the ports asked for, and nothing else; on the loopback negative', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0C00004D:094C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1
   1: 0C00004D:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 778 1
   2: 0C00004D:094C 0C00004D:1234 01 00000000:00000000 00:00000000 00000000     0        0 779 1
   3: 0100007F:094C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 780 1
   4: 00000000000000000000000001000000:094C 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 781 1
`;
  assert.equal(
    [...listeningSockets(text, [2380])],
    [
      ['777', 2380],
      ['780', -2380],
      ['781', -2380],
    ],
  );
});

test('addresses of this machine, of both kinds', () => {
  const trie =
    'Main:\n  +-- 10.77.0.0/24 2 0 2\n     |-- 10.77.0.0\n        /24 link UNICAST\n     |-- 10.77.0.12\n        /32 host LOCAL\n     |-- 10.77.0.255\n        /32 link BROADCAST\n';
  const inet6 = 'fd000000000000000000000000000012 02 40 00 80     eth0\n';
  assert.equal(localAddresses(trie, inet6), ['10.77.0.12', 'fd00::12']);
});

test('a port where nobody listens refuses, one where somebody does is open', async () => {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  assert.is(await reach('127.0.0.1', server.port, 2000), 'open');
  server.stop(true);
  assert.is(await reach('127.0.0.1', server.port, 2000), 'refused');
});

test.run();
