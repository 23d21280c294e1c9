import { cutOffInEveryStep } from './cut-off.ts';

cutOffInEveryStep('the healer is killed in every step', async (machine) => {
  await machine.run('systemctl', 'kill', '--signal=SIGKILL', 'heal-node.service');
});
