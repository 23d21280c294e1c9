import { cutOffInEveryStep } from './cut-off.ts';

cutOffInEveryStep('the machine loses its power in every step', async (machine) => {
  await machine.powerOff();
  await machine.powerOn();
});
