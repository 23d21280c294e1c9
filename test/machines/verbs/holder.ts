/**
 * heal-node.service's work, which can be held: before the effect of the step that /run/hold names, its guards asked
 * already, it stands still until that file is gone, and as long as it does /run/held is there.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { runHealService } from '../../../src/act/heal-service.ts';
import { realWorld } from '../../../src/observe/real-world.ts';
import { openLog } from '../../../src/report/log.ts';
import { loadSettings } from '../../../src/settings/load-settings.ts';

const HOLD = '/run/hold';
const HELD = '/run/held';
const LOOK_MS = 20;

function standStill(step: string): void {
  if (!existsSync(HOLD) || readFileSync(HOLD, 'utf8').trim() !== step) return;
  writeFileSync(HELD, step);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(HOLD)) Atomics.wait(cell, 0, 0, LOOK_MS);
  rmSync(HELD);
}

const settings = loadSettings();
const log = openLog('heal-node.service');
const info: typeof log.info = (data, sentence) => {
  log.info(data, sentence);
  if (data.event === 'step-begins') standStill(String(data.step));
};
await runHealService(realWorld(settings), settings, Object.assign(Object.create(log), { info }));
