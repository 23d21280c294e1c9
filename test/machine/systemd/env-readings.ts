/** Environment files and what systemd makes of them; a real one is asked in test/machines/scenarios/env-files.test.ts. */
export const readings: readonly (readonly [text: string, values: Record<string, string>])[] = [
  ['A=1\nB=2', { A: '1', B: '2' }],
  ['A=1\nA=2\n', { A: '2' }],
  ['# A=1\n; B=2\n  C=3\n', { C: '3' }],
  ['A= x y  \n', { A: 'x y' }],
  ['A="x y "\n', { A: 'x y ' }],
  ["A='x\"y'\n", { A: 'x"y' }],
  ['A=x #y\n', { A: 'x #y' }],
  ['A="a\\"b\\$c\\\\d"\n', { A: 'a"b$c\\d' }],
  ['A=a\\\nb\n', { A: 'ab' }],
  ['A="two\nlines"\nB=1\n', { A: 'two\nlines', B: '1' }],
  ['not an assignment\nA=1\n', { A: '1' }],
  ['1A=1\nA-B=2\nC=3\n', { C: '3' }],
  ['A=http://x:1,b=http://y:2\r\nB=1\r\n', { A: 'http://x:1,b=http://y:2', B: '1' }],
  ['A=\nB=1', { A: '', B: '1' }],
  [
    'etcdOpts="gateway start --listen-addr=1.2.3.4:2379"',
    { etcdOpts: 'gateway start --listen-addr=1.2.3.4:2379' },
  ],
];
