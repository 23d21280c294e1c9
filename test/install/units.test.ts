/** What install lays of systemd's files. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { layout } from '../../src/install/layout.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT } from '../../src/state/places.ts';
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

test.run();
