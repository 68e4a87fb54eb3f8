import { existsSync } from 'node:fs'
import { ConfigError, PosternError } from '@postern/core'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

const TIMEOUT_MS = 2_000

/**
 * Whether the holders of a `vault.json` answer, and how many trust domains they are; nothing where there is
 * no such file.
 */
export async function checkVault(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly DoctorFinding[]> {
  if (!existsSync(path)) return []
  // Only here: an application without a vault need not have it installed.
  const { openVault } = await import('@postern/vault')
  const { trustDomains } = await import('@postern/vault/setup')
  try {
    const { file, links, close } = await openVault(path, {
      environment,
      waitFor: 3,
      connectTimeout: TIMEOUT_MS,
    })
    try {
      const { holders } = file
      if (holders === undefined) return [ok('vault', 'reads its keys from this machine: trust domains: 1')]
      const says = await Promise.all(
        links.map(link => link.request({ op: 'ping' }, TIMEOUT_MS).catch(() => {})),
      )
      const [one, two, three] = links.map(({ id }, index) => ({
        address: holders[id],
        says: saysOf(says[index]),
      }))
      if (one === undefined || two === undefined || three === undefined) return []
      const silent = links.filter((_, index) => says[index] === undefined).map(({ id }) => id)
      const { count, reasons } = trustDomains({ 1: one, 2: two, 3: three })
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
    } finally {
      close()
    }
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(issue =>
        bad('vault', `${issue.place}: ${issue.problem}`, issue.hint ?? 'correct it'),
      )
    if (!(error instanceof PosternError)) throw error
    return [bad('vault', error.message, 'see docs/vault.md')]
  }
}

function saysOf(
  answer: unknown,
): { readonly administrator?: string; readonly unlockedBy?: string } | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const { administrator, unlockedBy } = answer as Readonly<Record<string, unknown>>
  return {
    ...(typeof administrator === 'string' && { administrator: administrator.slice(0, 200) }),
    ...(typeof unlockedBy === 'string' && { unlockedBy }),
  }
}
