import type { Clock, Duration, EventRecorder, RandomSource } from '@postern/core'
import type { PostgresDatabase, SqliteDatabase } from '@postern/store'
import type { Approval } from './approval.ts'
import type { MakerTable } from './makers.ts'
import type { ApprovalChannel } from './notice.ts'
import type { NamesOf } from './people.ts'
import type { UsedConsents } from './used-consents.ts'

/** Where approvals are kept, for how long, who is notified, and the key that signs. */
export interface ApprovalsOptions {
  readonly database: SqliteDatabase | PostgresDatabase
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Every step is committed to it before it is taken. Without one nothing is recorded. */
  readonly recorder?: EventRecorder
  /** Who is notified of requests and decisions. */
  readonly notify?: readonly ApprovalChannel[]
  /**
   * 32 bytes that seal requests and decisions, so that nobody consents by writing to the database. Keep it
   * out of the application's environment where you can.
   */
  readonly key?: Uint8Array
  /**
   * Where it is remembered which consents were used: a place that who writes to the database cannot write
   * to, shared by all processes. Default: in the memory of this process.
   */
  readonly used?: UsedConsents
  /**
   * Whether who consented could still do so: asked when a consent is used, which is refused where not.
   * Default: they can.
   */
  readonly standing?: (approval: Approval) => boolean | Promise<boolean>
  /**
   * Whose machines are that ask with a key, a certificate or as an OAuth client: they decide nothing that
   * these ask for. Default: only who made the key of a service is known.
   */
  readonly makers?: MakerTable
  /**
   * Every name that somebody has or had, by any one of them: the id and the addresses of their account, also
   * former ones. They decide nothing behind which they stand under another name. With built-in identity
   * `name => identity.accounts.namesOf(name)`. Default: a person has one name.
   */
  readonly namesOf?: NamesOf
  /** Requests that one actor may have waiting, and may make in an hour. Default: 20. */
  readonly maxPending?: number
  /** How long what is over is kept. Default: `90d`. */
  readonly keep?: Duration
}
