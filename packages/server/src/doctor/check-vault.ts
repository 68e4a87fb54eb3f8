import { existsSync } from 'node:fs'
import { ConfigError, PosternError } from '@postern/core'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'
import { vaultStatus } from './vault-status.ts'

/**
 * Whether the holders of a `vault.json` answer, and how many trust domains they are; nothing where there is
 * no such file.
 */
export async function checkVault(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly DoctorFinding[]> {
  if (!existsSync(path)) return []
  try {
    const { holders, trustDomains } = await vaultStatus(path, environment)
    if (holders.length === 0) return [ok('vault', 'reads its keys from this machine: trust domains: 1')]
    const silent = holders.filter(({ isUp }) => !isUp).map(({ id }) => id)
    const { count, reasons } = trustDomains
    return [
      silent.length === 0
        ? ok('vault holders', 'all three answer')
        : bad(
            'vault holders',
            `no answer from ${silent.join(' and ')}`,
            'check that they run: postern holder run',
          ),
      count === 3
        ? ok('vault', 'trust domains: 3')
        : warn(
            'vault',
            `trust domains: ${count}; ${reasons.join('; ')}`,
            'give each holder its own machine, key and administrator',
          ),
    ]
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(issue =>
        bad('vault', `${issue.place}: ${issue.problem}`, issue.hint ?? 'see docs/vault.md'),
      )
    if (!(error instanceof PosternError)) throw error
    return [bad('vault', error.message, 'see docs/vault.md')]
  }
}
