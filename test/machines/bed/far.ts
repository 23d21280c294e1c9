/**
 * A switch in user space, for hosts whose kernel has no netem: `far.ts DELAY_MS LOSS_PERCENT MACHINES`. It makes the
 * taps t0 (the bridge's) and t1 … (the machines'), says so, and passes frames on: between machines each after the
 * delay, and some never; to and from t0 at once. It ends when it is killed, and its taps with it.
 */
import { dlopen, FFIType, ptr } from 'bun:ffi';
import { constants, openSync, writeSync } from 'node:fs';

const [delayMs = 0, lossPercent = 0, machines = 0] = process.argv.slice(2).map(Number);

// tuntap(4), linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const IFF_TAP_NO_PI = 0x1002;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const LONGEST_FRAME = 65_536;
const BROADCAST = 1;

const { symbols: libc } = dlopen('libc.so.6', {
  ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
  poll: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  read: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
  write: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
});

const taps = Array.from({ length: machines + 1 }, (_, port) => {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(40);
  request.write(`t${port}`);
  request.writeInt16LE(IFF_TAP_NO_PI, 16);
  if (libc.ioctl(fd, TUNSETIFF, ptr(request)) !== 0) throw new Error(`t${port} cannot be made`);
  return fd;
});
writeSync(1, 'ready\n');

const wanted = Buffer.alloc(POLLFD_BYTES * taps.length);
for (const [port, fd] of taps.entries()) {
  wanted.writeInt32LE(fd, POLLFD_BYTES * port);
  wanted.writeInt16LE(POLLIN, POLLFD_BYTES * port + 4);
}

/** By hardware address, the port behind which it was seen. */
const seen = new Map<string, number>();
/** On their way, the first that is due first. */
const travelling: { readonly dueMs: number; readonly to: number; readonly frame: Buffer }[] = [];
const buffer = Buffer.alloc(LONGEST_FRAME);

function pass(from: number, frame: Buffer): void {
  seen.set(frame.toString('hex', 6, 12), from);
  const known =
    ((frame[0] ?? 0) & BROADCAST) === BROADCAST ? undefined : seen.get(frame.toString('hex', 0, 6));
  const to = known === undefined ? taps.map((_, port) => port) : [known];
  for (const port of to.filter((other) => other !== from)) {
    if (port === 0 || from === 0) libc.write(taps[port] ?? -1, ptr(frame), frame.length);
    else if (Math.random() * 100 >= lossPercent)
      travelling.push({ dueMs: performance.now() + delayMs, to: port, frame });
  }
}

for (;;) {
  const [next] = travelling;
  const waitMs = next === undefined ? -1 : Math.max(0, Math.ceil(next.dueMs - performance.now()));
  libc.poll(ptr(wanted), taps.length, waitMs);
  for (const [port, fd] of taps.entries()) {
    if ((wanted.readInt16LE(POLLFD_BYTES * port + 6) & POLLIN) === 0) continue;
    for (let bytes = 1; bytes > 0; ) {
      bytes = Number(libc.read(fd, ptr(buffer), LONGEST_FRAME));
      if (bytes > 0) pass(port, Buffer.from(buffer.subarray(0, bytes)));
    }
  }
  while (travelling[0] !== undefined && travelling[0].dueMs <= performance.now()) {
    const { to, frame } = travelling.shift() as (typeof travelling)[number];
    libc.write(taps[to] ?? -1, ptr(frame), frame.length);
  }
}
