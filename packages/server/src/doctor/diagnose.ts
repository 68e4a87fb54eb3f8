import type { LoadedConfig } from '@postern/config'
import { asksForAdminPort } from '../admin/asks-for-admin-port.ts'
import { readRunFile } from '../admin/run-file.ts'
import { checkBudgets } from './check-budgets.ts'
import { checkConfiguration } from './check-configuration.ts'
import { checkDataDirectory } from './check-data.ts'
import {
  checkAdminPort,
  checkBackend,
  checkCertificate,
  checkOpenFiles,
  checkPort,
  checkTrustedProxies,
  listenPlaces,
} from './check-network.ts'
import { checkPasskeys } from './check-passkeys.ts'
import { checkStores } from './check-stores.ts'
import { checkVault } from './check-vault.ts'
import { type DoctorFinding, ok } from './finding.ts'

/** What is looked at. */
export interface DiagnoseOptions {
  readonly loaded: LoadedConfig
  /** Absolute. */
  readonly dataDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Every check of a configuration that could be read, in order: what `postern doctor` shows. */
export async function diagnose({
  loaded,
  dataDirectory,
}: Omit<DiagnoseOptions, 'environment'>): Promise<readonly DoctorFinding[]> {
  const { config, file, written } = loaded
  const { gateway, admin } = listenPlaces(config)
  const isRunning = isGatewayRunning(dataDirectory)
  const certificate = checkCertificate(config, file.folder, Date.now())
  return [
    ok('node', process.version),
    ...(await checkConfiguration(loaded)),
    checkDataDirectory(dataDirectory),
    ...(await checkStores(config)),
    ...(await checkBudgets(config)),
    ...(await checkPasskeys(config)),
    await checkBackend(config, gateway),
    ...(config.upstream === undefined ? [] : [checkOpenFiles(config)]),
    checkTrustedProxies(config, gateway),
    ...(certificate === undefined ? [] : [certificate]),
    await checkPort(gateway, isRunning),
    ...(admin === undefined ? [] : [await checkAdminPort(admin, isRunning, asksForAdminPort(written))]),
  ]
}

/** The same, and the holders of a vault where there is one. @param vault path of `vault.json` */
export async function diagnoseAll(
  vault: string,
  options: DiagnoseOptions,
): Promise<readonly DoctorFinding[]> {
  return [...(await diagnose(options)), ...(await checkVault(vault, options.environment))]
}

/** Not known, and so not assumed, for a directory of another user: the check of the directory says so. */
function isGatewayRunning(dataDirectory: string): boolean {
  try {
    return readRunFile(dataDirectory) !== undefined
  } catch {
    return false
  }
}
