import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** What the tests need, and what Debian calls it. */
export interface Missing {
  readonly name: string
  readonly variable: string
  readonly packages: readonly string[]
  readonly isInstalled: () => boolean
}

const INSTALL_LIMIT_MS = 10 * 60_000

/**
 * Makes sure the named servers are installed: as root on Debian by apt-get; anywhere else a test run without
 * them would be a silent skip, so it ends with one line that says what to install.
 */
export function installMissing(missing: readonly Missing[]): void {
  if (missing.length === 0) return
  installPackages(missing.flatMap(server => server.packages))
  const still = missing.filter(server => !server.isInstalled())
  if (still.length === 0) return
  console.error(
    `tests: ${still.map(server => server.name).join(' and ')} not found. Install ${still
      .flatMap(server => server.packages)
      .join(
        ' and ',
      )}, or set ${still.map(server => server.variable).join(' and ')} to a running server's URL.`,
  )
  process.exit(1)
}

/**
 * Installs packages by apt-get, as root on Debian; does nothing anywhere else. Whoever asked looks whether
 * it is there.
 */
export function installPackages(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return
  console.error(`tests: installing ${packages.join(' and ')} (apt-get) ...`)
  const apt = (...args: string[]): number | null =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: ['ignore', 'ignore', 2],
      timeout: INSTALL_LIMIT_MS,
      // Debian starts a service when it installs one, unless told not to; the tests bring up their own.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status
  apt('update')
  apt('install', '-y', '--no-install-recommends', ...packages)
}
