import { runHook } from '../../hooks/hooks.ts';
import { type HookName, hookNames } from '../appcenter/own-command.ts';
import { adoptCommand } from './adopt-command.ts';
import type { CommandSpec, Described, Texts } from './command.ts';
import texts from './command-texts.json';
import { completionCommand } from './completion-command.ts';
import { configCommand } from './config-command.ts';
import { diagnoseCommand } from './diagnose-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { gateCommand } from './gate-command.ts';
import { healCommand, resumeCommand } from './heal-command.ts';
import { historyCommand } from './history-command.ts';
import { installCommand, uninstallCommand } from './install-command.ts';
import { logsCommand } from './logs-command.ts';
import { metricsCommand } from './metrics-command.ts';
import { pauseCommand, unpauseCommand } from './pause-command.ts';
import { planCommand } from './plan-command.ts';
import { reportCommand } from './report-command.ts';
import { restoreCommand } from './restore-command.ts';
import { statusCommand } from './status-command.ts';

const hookCommand: CommandSpec = {
  name: 'hook',
  words: [['<name>', 'which', hookNames]],
  run: async (_, [name]) => runHook(name as HookName),
};

/** Every command, in the order of the help. */
export const commands: readonly Described[] = [
  statusCommand,
  diagnoseCommand,
  planCommand,
  healCommand,
  resumeCommand,
  restoreCommand,
  adoptCommand,
  pauseCommand,
  unpauseCommand,
  historyCommand,
  logsCommand,
  reportCommand,
  metricsCommand,
  doctorCommand,
  configCommand,
  gateCommand,
  installCommand,
  uninstallCommand,
  hookCommand,
  completionCommand(() => commands),
].map((spec: CommandSpec) => {
  const { options = {}, ...others } = (texts as Readonly<Record<string, Texts>>)[spec.name] ?? { what: '' };
  return { ...spec, ...others, options: Object.entries(options) };
});
