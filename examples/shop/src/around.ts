import type { DatabaseSync } from 'node:sqlite'
import type { FastifyPluginCallback } from 'fastify'
import type { Pool } from 'pg'

/** An answer to an error that is somebody else's. */
export interface ForeignAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * What stands around the shop inside its own process, when something does: the three places that it
 * touches.
 */
export interface Around {
  /** Sees every request first. */
  readonly plugin: FastifyPluginCallback
  /** Is given the connections, before the first is used or once the tables are there. */
  guard(database: Pool | DatabaseSync): void
  /** What an error of the database means, and its answer; undefined for errors of the shop. */
  answer(error: unknown, accept: string | undefined): ForeignAnswer | undefined
  /** An error of the embedded database as what it means. */
  meant(error: unknown): unknown
}
