/** The app's own script: `ctl.sh VERB` (docs/platform.md). */
export const APP_CTL = '/opt/app/bin/ctl.sh';
