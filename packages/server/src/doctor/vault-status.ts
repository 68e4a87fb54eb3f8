import type { HolderSays, VaultStatus } from '@postern/console'
import { rethrow } from './optional-import.ts'

/** Longer than for an answer: on a busy machine a handshake takes its time, and the holder is not down. */
const CONNECT_MS = 5_000
const ANSWER_MS = 2_000

/**
 * The columns of a `vault.json` with their mode and epoch, which holders answer, and how many trust domains
 * they are: what `postern vault status` and the console show.
 * @throws ConfigError for a file that cannot be used; StoreError
 */
export async function vaultStatus(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<VaultStatus> {
  // Only here: who has no vault need not have it installed.
  const { openVault } = await import(/* webpackIgnore: true */ '@postern/vault').catch(rethrow)
  const { trustDomains } = await import(/* webpackIgnore: true */ '@postern/vault/setup').catch(rethrow)
  const { file, vault, links, close } = await openVault(path, {
    environment,
    waitFor: 3,
    connectTimeout: CONNECT_MS,
    onMissingKey: fault => {
      throw fault
    },
  })
  try {
    const columns = Object.keys(file.tables).flatMap(name =>
      vault.table(name).columns.map(column => ({
        column: `${name}.${column.name}`,
        mode: column.mode,
        state: column.state,
        epoch: vault.currentEpoch(column),
      })),
    )
    const says = await Promise.all(
      links.map(link => link.request({ op: 'ping' }, ANSWER_MS).catch(() => undefined)),
    )
    const holders = links.map(({ id }, index) => ({
      id,
      isUp: says[index] !== undefined,
      ...saysOf(says[index]),
    }))
    const [one, two, three] = holders.map(({ id, isUp, administrator, unlockedBy }) => ({
      address: file.holders?.[id],
      says: isUp
        ? {
            ...(administrator !== undefined && { administrator }),
            ...(unlockedBy !== undefined && { unlockedBy }),
          }
        : undefined,
    }))
    const domains =
      one?.address === undefined || two?.address === undefined || three?.address === undefined
        ? { count: 1, reasons: ['the keys are read from this machine'] }
        : trustDomains({
            1: { ...one, address: one.address },
            2: { ...two, address: two.address },
            3: { ...three, address: three.address },
          })
    return { columns, holders, trustDomains: domains }
  } finally {
    close()
  }
}

function saysOf(answer: unknown): HolderSays {
  if (typeof answer !== 'object' || answer === null) return {}
  const { administrator, unlockedBy } = answer as Readonly<Record<string, unknown>>
  return {
    ...(typeof administrator === 'string' && { administrator: administrator.slice(0, 200) }),
    ...(typeof unlockedBy === 'string' && { unlockedBy: unlockedBy.slice(0, 200) }),
  }
}
