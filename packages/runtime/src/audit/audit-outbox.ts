import { createHash } from 'node:crypto'
import { ConfigError, type Event, type EventRecorder, systemClock } from '@postern/core'
import { type Migration, migrate, type SqliteDatabase } from '@postern/store'
import { RepeatedWork } from '../lifetime/repeated-work.ts'

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'events that wait for the log',
    sqlite: 'CREATE TABLE audit_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT',
  },
]

const EVERY_MS = 1_000
const BATCH = 100

/**
 * Events of processes that do not have the embedded log, which one process at a time has: commands of an
 * operator. They are durable in the data directory when `put` returns, and entered by whoever has the log.
 */
export class AuditOutbox {
  readonly #database: SqliteDatabase

  /** @throws StoreError when the database cannot be written */
  constructor(database: SqliteDatabase) {
    migrate(database, 'audit-outbox', MIGRATIONS)
    this.#database = database
  }

  put(event: Event): void {
    this.#database.transaction(() =>
      this.#database.db.prepare('INSERT INTO audit_outbox (event) VALUES (?)').run(JSON.stringify(event)),
    )
  }

  /**
   * Enters what waits, in order. An event goes from here once it is durable there: after a crash in between
   * it is entered twice.
   * @throws StoreError when the log takes no entries
   */
  async drain(recorder: EventRecorder): Promise<void> {
    for (let rows = this.#oldest(); rows.length > 0; rows = this.#oldest()) {
      for (const { id, text } of rows) {
        await enter(recorder, text)
        this.#database.transaction(() =>
          this.#database.db.prepare('DELETE FROM audit_outbox WHERE id = ?').run(id),
        )
      }
    }
  }

  #oldest(): readonly { readonly id: number; readonly text: string }[] {
    const statement = `SELECT id, event FROM audit_outbox ORDER BY id LIMIT ${BATCH}`
    return this.#database
      .read(() => this.#database.db.prepare(statement).all())
      .map(({ id, event }) => ({ id: Number(id), text: String(event) }))
  }
}

/** What is not an event is entered as such: it must not stop those behind it. */
async function enter(recorder: EventRecorder, text: string): Promise<void> {
  try {
    await recorder.commit(JSON.parse(text) as Event)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof ConfigError)) throw error
    const sha256 = createHash('sha256').update(text).digest('hex')
    const data = { problem: 'an entry of the outbox is not an event', sha256 }
    await recorder.commit({ type: 'audit.unreadable', time: systemClock.now(), actor: {}, data })
  }
}

/** Empties an outbox into the log at the start and each second. */
export function drainOutbox(outbox: AuditOutbox, recorder: EventRecorder): RepeatedWork {
  return new RepeatedWork({ name: 'audit outbox', every: EVERY_MS, work: () => outbox.drain(recorder) })
}
