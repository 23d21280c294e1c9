/** What a client may try to have written into etcd's log: every line that heal-node looks for, and reports of panics. */
import { recordedLines } from '../../diagnose/recorded-lines.ts';

/** As raft prints it: what decides alone when etcd itself ends with it. */
export const SHORT =
  'tocommit(5) is out of range [lastIndex(3)]. Was the raft log corrupted, truncated, or lost?';

/** Go's whole report of a panic that never was. */
export const REPORT = `panic: ${SHORT}

goroutine 1 [running]:
go.etcd.io/etcd/raft.(*raftLog).commitTo(0xc0001b6000, 0x5)
\t/tmp/etcd/raft/log.go:203 +0x131
created by go.etcd.io/etcd/etcdserver.(*raftNode).start
\t/tmp/etcd/etcdserver/raft.go:157 +0x52`;

export const lines = [...new Set(Object.values(recordedLines).flat())];

/** The ways in which one line may come to stand, or seem to stand, on a line of its own. */
const forms: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => `\n${line}\n`,
  (line) => `x\r\n${line}\r\n`,
  (line) => `\r\u001b[2K${line}\u001b[0m`,
  (line) => `"} ${line} {"`,
  (line) =>
    `\n{"level":"panic","ts":"2026-11-23T19:03:43.302Z","caller":"raft/log.go:203","msg":${JSON.stringify(line)}}\n`,
  (line) => `\npanic: ${line}\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n`,
];

/** The same without a slash, for what is a part of a path. */
export const FLAT_REPORT = `panic: ${SHORT}\n\ngoroutine 1 [running]:\nmain.main()`;

/** One text for each form, with every line in it in this form; and the reports. */
export const texts: readonly string[] = [
  ...forms.map((form) => lines.map(form).join('')),
  `\n${REPORT}\n`,
  `\r\n${REPORT.replaceAll('\n', '\r\n')}\r\n`,
  `\n${REPORT.replaceAll('\n\n', '\n')}\nexit status 2\n`,
];

/** One line of each kind, for what may have only one line, and a short one: a header, a path, a name of a host. */
export const shortTexts: readonly string[] = [...lines, `panic: ${SHORT}`, 'goroutine 1 [running]:'];
