import { expireJournal, sealJournal } from '@postern/access'
import type { CompiledConfig } from '@postern/config'
import { type Event, type HealthProbe, systemClock } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { RepeatedWork } from '../lifetime/repeated-work.ts'

/** The journal of old rows, kept sealed. */
export interface BudgetJournal {
  readonly probe: HealthProbe
  close(): Promise<void>
}

const EVERY = 10_000
/** Of the instance that seals; the others pass. */
const LOCK = 5_783_299
const TRY_LOCK = 'SELECT pg_try_advisory_xact_lock($1) AS locked'

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
      database.transaction(async client => {
        const { rows } = await client.query<{ readonly locked: boolean }>(TRY_LOCK, [LOCK])
        if (rows[0]?.locked !== true) return
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
