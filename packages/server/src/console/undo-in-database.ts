import { listChanges, showUndo, type UndoOptions, undoChange } from '@postern/access'
import type { LoadedConfig } from '@postern/config'
import type { UndoDesk } from '@postern/console'
import { ConfigError } from '@postern/core'
import { connectPostgres, type PostgresDatabase } from '@postern/store'

/** The undo of row budgets in the application's database, which is connected to when somebody first asks. */
export class UndoInDatabase implements UndoDesk {
  readonly #loaded: () => LoadedConfig
  #opened: { readonly url: string; readonly database: PostgresDatabase } | undefined

  /** @param loaded the configuration in force */
  constructor(loaded: () => LoadedConfig) {
    this.#loaded = loaded
  }

  /** Whether the configuration names a database. */
  get isKept(): boolean {
    return this.#loaded().config.budgetDatabase !== undefined
  }

  async list(): Promise<Awaited<ReturnType<UndoDesk['list']>>> {
    return listChanges(await this.#database())
  }

  async show(change: string): Promise<Awaited<ReturnType<UndoDesk['show']>>> {
    return showUndo(await this.#database(), change, this.#options('skip'))
  }

  async apply(change: string, conflicts: 'stop' | 'skip'): Promise<Awaited<ReturnType<UndoDesk['apply']>>> {
    return undoChange(await this.#database(), change, this.#options(conflicts))
  }

  #options(conflicts: 'stop' | 'skip'): UndoOptions {
    return { keys: this.#loaded().config.budgetDatabase?.journalKeys ?? [], conflicts }
  }

  async #database(): Promise<PostgresDatabase> {
    const url = this.#loaded().config.budgetDatabase?.url
    if (url === undefined)
      throw new ConfigError({
        place: 'budgetDatabase',
        problem: 'is not configured',
        hint: 'set `budgetDatabase.url`, and install the budgets',
      })
    if (this.#opened?.url !== url) {
      await this.close()
      this.#opened = { url, database: connectPostgres({ url, statementTimeout: '30s', max: 2 }) }
    }
    return this.#opened.database
  }

  async close(): Promise<void> {
    await this.#opened?.database.close()
    this.#opened = undefined
  }
}
