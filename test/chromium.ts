import { existsSync } from 'node:fs'
import { installMissing } from './install-services.ts'

const PLACE = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium'

/**
 * Where Chromium is: as root on Debian it is installed when it is missing, like the servers of the tests.
 * Anywhere else a run without it ends with one line that says what to install.
 */
export function chromiumPath(): string {
  if (!existsSync(PLACE))
    installMissing([
      {
        name: 'Chromium',
        variable: 'POSTERN_CHROMIUM',
        packages: ['chromium'],
        isInstalled: () => existsSync(PLACE),
      },
    ])
  return PLACE
}
