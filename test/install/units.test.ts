/** What install lays of systemd's files. */
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { install } from '../../src/install/install.ts';
import { layout } from '../../src/install/layout.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT, UNIT_DIR } from '../../src/state/places.ts';
import { PLACES } from '../fake/observation.ts';

const laid = (name: string): string => {
  const file = layout().find(({ path }) => path.endsWith(`/${name}`));
  return file && 'content' in file ? file.content.toString() : '';
};

test('they call the executable where it is laid, and the gate takes the mark that a heal leaves', () => {
  assert.match(laid(HEAL_UNIT), new RegExp(`^ExecStart=${EXECUTABLE} resume --in-service$`, 'm'));
  assert.ok(laid(GATE_DROP_IN).includes(`rm ${PLACES.restored} 2>/dev/null || ${EXECUTABLE} gate;`));
});

test('the service needs no room on the root disk to be started: a heal that was cut off goes on there', () => {
  assert.not.match(laid(HEAL_UNIT), /^(PrivateTmp|(Runtime|State|Cache|Logs)Directory)=/m);
});

test('a unit that others can write is laid again, as they could have root run what they like', () => {
  const root = mkdtempSync(join(tmpdir(), 'heal-node-laid-'));
  try {
    install(root, import.meta.filename);
    assert.equal(install(root, import.meta.filename), []);
    const unit = `${UNIT_DIR}/${HEAL_UNIT}`;
    chmodSync(`${root}${unit}`, 0o777);
    assert.equal(install(root, import.meta.filename), [unit]);
    assert.is(statSync(`${root}${unit}`).mode & 0o777, 0o644);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.run();
