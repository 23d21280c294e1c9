import * as assert from 'uvu/assert';
import { readings } from '../../machine/systemd/env-readings.ts';
import { scenario } from '../bed/scenario.ts';

scenario("systemd reads environment files as heal-node's parser does", {}, async ({ machine }) => {
  const one = machine(1);
  const unit =
    '[Service]\nType=oneshot\nEnvironmentFile=/run/probe.env\nExecStart=/usr/bin/env -0\nStandardOutput=truncate:/run/probe.out\n';
  const put = (path: string, text: string) =>
    one.sh(`echo ${Buffer.from(text).toString('base64')} | base64 -d > ${path}`);
  await put('/run/systemd/system/probe.service', unit);
  for (const [text, values] of readings) {
    await put('/run/probe.env', text);
    await one.sh('systemctl start probe.service');
    const out = Buffer.from(await one.sh('base64 -w0 /run/probe.out'), 'base64').toString();
    const given = new Map(
      out
        .split('\0')
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const),
    );
    const own = ['PATH', 'LANG', 'GOMAXPROCS', 'INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID', ''];
    const seen = Object.fromEntries([...given].filter(([key]) => !own.includes(key)).sort());
    assert.equal(seen, Object.fromEntries(Object.entries(values).sort()), JSON.stringify(text));
  }
});
