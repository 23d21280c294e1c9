import { writeFile } from 'node:fs/promises';
import { version } from '../../package.json';
import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import { incident } from '../report/incident.ts';
import { jsonText } from '../report/json-text.ts';
import { plainValue } from '../report/plain-text.ts';
import { wholeLog } from '../report/read-log.ts';
import { recovery } from '../report/recovery.ts';
import { render } from '../report/render.ts';
import { healRecordFile, history } from '../state/heal-record.ts';
import { language, speak, tell } from '../words/retell.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { whatNext } from './diagnose-command.ts';
import { look } from './look.ts';

export const reportCommand: CommandSpec = {
  name: 'report',
  words: [['[id]', 'the heal, as `heal-node history` lists it; `now` for none; the last one unless given']],
  run: async ({ json, md, out }, [id]) => {
    const looked = await look();
    const { world, situation, diagnosis } = looked;
    const { machine, places } = world;
    const unfinished = await healRecordFile.read(machine, places.journal);
    const heals = [...(await history(machine, places)), ...(unfinished ? [unfinished] : [])];
    const record = heals.findLast((heal) => id === undefined || id === heal.id);
    if (id !== undefined && id !== 'now' && record === undefined)
      throw new UsageError(`${id} is not allowed; allowed is now, or an ID of \`heal-node history\``);
    if (json) speak({ language: 'en' });
    const next = diagnosis.verdict === 'healthy' ? [] : whatNext(looked);
    const report = {
      ...{ schema: 'heal-node.report/1', madeAt: new Date(machine.now()).toISOString(), version },
      node: diagnosis.node,
      incident: record && incident(record, wholeLog(), places.aside),
      now: { ...diagnosis, tolerance: failureTolerance(situation)?.toString() ?? '', next },
      recovery: recovery(situation, diagnosis.verdict, places.env, language),
    };
    const format = md ? 'md' : 'html';
    const text = json ? jsonText(plainValue(report), 2) : render(report, format).trim();
    const name = `heal-node-report-${record?.id ?? 'now'}.${format}`;
    const path = out ?? (process.stdout.isTTY && !json ? name : undefined);
    // A new file: whoever has put a link of that name there is not followed (open(2), O_EXCL).
    if (path !== undefined)
      await writeFile(String(path), `${text}\n`, { flag: 'wx', mode: 0o600 }).catch((error: Error) => {
        throw new UsageError(`${path} could not be written: ${error.message}; name a new file with --out`);
      });
    console.log(path === undefined ? text : tell(`The report is in ${path}.`));
    return EXIT.done;
  },
};
