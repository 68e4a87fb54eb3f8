import type { SqlClient } from '@postern/store'
import type { Cursor } from '../log/cursor.ts'
import { ADVANCE_CURSOR, RELEASE_CURSOR, TAKE_CURSOR } from './audit.sql.ts'

export interface HeldCursorOptions {
  readonly database: SqlClient
  /** The same on every instance. */
  readonly name: string
  /** Unique among the instances. */
  readonly holder: string
  /** Milliseconds that a hold lasts unless it is renewed or released: longer than anything done under it. */
  readonly hold: number
}

/**
 * A cursor that all instances of a log share. The instance that takes it holds it for a while, by the
 * database's clock, without keeping a connection: unlike with a session lock, a collector that hangs
 * takes no connection away from commits.
 */
export class HeldCursor implements Cursor {
  readonly #options: HeldCursorOptions
  #position = 0n

  constructor(options: HeldCursorOptions) {
    this.#options = options
  }

  async take(): Promise<bigint | undefined> {
    const { database, name, holder, hold } = this.#options
    const { rows } = await database.query<{ position: string }>(TAKE_CURSOR, [name, holder, hold])
    const position = rows[0]?.position
    if (position === undefined) return undefined
    this.#position = BigInt(position)
    return this.#position
  }

  async advance(position: bigint): Promise<boolean> {
    const { database, name, holder } = this.#options
    const { rowCount } = await database.query(ADVANCE_CURSOR, [
      name,
      holder,
      position.toString(),
      this.#position.toString(),
    ])
    if (rowCount === 1) this.#position = position
    return rowCount === 1
  }

  async release(): Promise<void> {
    const { database, name, holder } = this.#options
    await database.query(RELEASE_CURSOR, [name, holder])
  }
}
