import { expireJournal, sealJournal } from '@postern/access/start'
import type { CompiledConfig } from '@postern/config'
import { type Event, type HealthProbe, systemClock } from '@postern/core'
import { connectPostgres, type PostgresDatabase, PostgresError } from '@postern/store'
import { RepeatedWork } from '../lifetime/repeated-work.ts'

/** The journal of old rows, kept sealed. */
export interface BudgetJournal {
  readonly probe: HealthProbe
  close(): Promise<void>
}

const EVERY = 10_000
/**
 * For the instance that seals; the others pass. A table that the role of the application has no right to: an
 * advisory lock it could hold, and old rows would stay readable, and be kept, for as long as it did. This
 * mode stops neither those who read the table nor an installation that writes it.
 */
const LOCK = 'LOCK TABLE postern_budgets.keys IN SHARE UPDATE EXCLUSIVE MODE NOWAIT'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Seals and forgets old rows in the application's database every ten seconds, one instance at a time, where
 * the configuration names a key for it. What fails is an event once, shows in readiness, and is tried again.
 * @returns undefined when there is nothing to seal with
 */
export function openBudgetJournal(
  { budgetDatabase }: CompiledConfig,
  emit: (event: Event) => void,
): BudgetJournal | undefined {
  const [key] = budgetDatabase?.journalKeys ?? []
  if (budgetDatabase === undefined || key === undefined) return undefined
  const { url, retention } = budgetDatabase
  // The lock is held by a transaction that waits as long as the work takes.
  const database = connectPostgres({ url, max: 2, statementTimeout: '5m' })
  const tooLarge = new Set<string>()
  const work = new RepeatedWork({
    name: 'journal of row budgets',
    every: EVERY,
    work: () =>
      alone(database, async () => {
        // What cannot be sealed must not keep what is old from being forgotten.
        await expireJournal(database, retention)
        await sealJournal(database, key, { tooLarge })
      }),
    onTrouble: problem =>
      emit({
        type: 'journal.failed',
        time: systemClock.now(),
        actor: {},
        data: { problem: problem.slice(0, 500) },
      }),
  })
  return {
    probe: work,
    close: async () => {
      await work.close()
      await database.close()
    },
  }
}

/** Does work unless another instance is doing it. */
async function alone(database: PostgresDatabase, work: () => Promise<void>): Promise<void> {
  let isOurs = false
  try {
    await database.transaction(async client => {
      await client.query(LOCK)
      isOurs = true
      await work()
    })
  } catch (error) {
    const isHeld = !isOurs && error instanceof PostgresError && error.state === LOCK_NOT_AVAILABLE
    if (!isHeld) throw error
  }
}
