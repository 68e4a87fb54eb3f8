import type { Approvals, Change, PolicySet, UndoReport } from '@postern/access'
import type { AuditLogReader } from '@postern/audit'
import type { Clock, ConfigException, Health, Json, RandomSource } from '@postern/core'
import type { Revocations } from '@postern/identity'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import type { RemediationStore } from '@postern/remediate'
import type { Instance } from '../traffic/instance-board.ts'
import type { TrafficStore } from '../traffic/traffic-store.ts'
import type { LiveFeed } from './live-feed.ts'
import type { OperatorAccounts } from './operator-accounts.ts'

/** Something that an operator does, for the audit log. */
export interface ConsoleAct {
  /** `ban`, `exception.apply` */
  readonly action: string
  readonly resource: { readonly type: string; readonly id?: string }
  readonly data?: { readonly [key: string]: Json }
}

/** The file of the configuration and what a change makes of it. */
export interface EditedSettings {
  readonly path: string
  readonly before: string
  readonly after: string
}

/** What the console may do with the configuration in force. */
export interface ConsoleSettings {
  /** An exception in terms of the file, a line each. */
  describe(exception: ConfigException): readonly string[]
  /** The file with the exception in it, written nowhere; undefined for a file that is a program. */
  edited(exception: ConfigException): EditedSettings | undefined
  /** The file as it is now; `text` is undefined for one that is a program. */
  file(): { readonly path: string; readonly text: string | undefined }
  /**
   * Writes a changed file, puts it into force, and remembers the change.
   * @returns what to tell the operator, a line each
   * @throws ConfigError when the file would not be a configuration, or is not `before` any more; it stays
   * then
   */
  write(edited: EditedSettings, operator: string): Promise<readonly string[]>
  /** Changes that were made here, newest first. */
  history(): readonly SettingsChange[]
  /**
   * Decides kept requests again by this text of the file, and by the present one. One preview runs at a
   * time.
   */
  readonly preview: PreviewJob
}

/** A change of the settings that was made in the console. */
export interface SettingsChange {
  readonly id: number
  readonly time: number
  readonly operator: string
  readonly before: string
  readonly after: string
}

/** Whose requests another configuration decides otherwise. */
export interface PreviewGroup {
  readonly kind: 'principal' | 'address'
  /** Empty where it was erased. */
  readonly value: string
  readonly requests: number
  /** The rules that decide, most frequent first. */
  readonly rules: readonly string[]
  /** Id of one of the requests. */
  readonly example: string
}

/** What another configuration would have done. */
export interface PreviewResult {
  readonly requests: number
  /** Requests that were decided again: those of actors whom the change can reach. */
  readonly replayed: number
  readonly refusedBefore: number
  readonly refusedAfter: number
  readonly newlyRefused: readonly PreviewGroup[]
  readonly newlyAllowed: readonly PreviewGroup[]
}

/** Whether a preview runs, how many requests it has read, and its result or what went wrong. */
export type PreviewState =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly done: number; readonly total: number }
  | { readonly state: 'failed'; readonly problem: string }
  | { readonly state: 'done'; readonly result: PreviewResult; readonly milliseconds: number }

/** A preview under way, beside the requests. */
export interface PreviewJob {
  /**
   * Starts one; one that runs ends.
   * @param text of the file
   * @param from epoch milliseconds
   */
  start(text: string, from: number): void
  state(): PreviewState
  cancel(): void
}

/** Where a key stands in one limit. */
export interface LimitStanding {
  readonly name: string
  readonly kind: 'window' | 'gcra' | 'concurrency'
  readonly limit: number
  /** `1m`; of a concurrency limit, how long a request counts that is never seen to end. */
  readonly window: string
  readonly remaining: number
  /** Milliseconds. */
  readonly retryAfter: number
}

/** What one of the attacks of the first minute did. */
export interface AttackResult {
  readonly sent: number
  readonly statuses: readonly number[]
  /** Ids of the requests, where answers carried them. */
  readonly requests: readonly string[]
}

/** Attacks that the gateway sends to itself, so that there is something to look at. */
export type AttackName = 'sql-injection' | 'path-traversal' | 'password-guessing'

/** What the console can do with changes that row budgets kept the old rows of: list, show, put back. */
export interface UndoDesk {
  /** Newest first. */
  list(): Promise<readonly Change[]>
  /** What putting a change back would do. */
  show(change: string): Promise<UndoReport>
  /** @param conflicts what happens when rows do not fit: nothing is written, or all others are */
  apply(change: string, conflicts: 'stop' | 'skip'): Promise<UndoReport>
}

/** What a holder says of itself. */
export interface HolderSays {
  readonly administrator?: string
  /** Tag of what unlocked it, the same for the same key. */
  readonly unlockedBy?: string
}

/** The vault as the application and its holders see it; no key and no value. */
export interface VaultStatus {
  readonly columns: readonly {
    /** `table.column` */
    readonly column: string
    readonly mode: string
    readonly state: string
    /** Epoch that it seals under. */
    readonly epoch: number
  }[]
  readonly holders: readonly ({ readonly id: number; readonly isUp: boolean } & HolderSays)[]
  readonly trustDomains: { readonly count: number; readonly reasons: readonly string[] }
}

/** What the operator's socket of a holder says. */
export interface HolderReading {
  /** Path of its `holder.json`. */
  readonly path: string
  /** Why it cannot be asked; the rest is absent then. */
  readonly problem?: string
  readonly id?: number
  readonly epochs?: readonly number[]
  /** Actors that it opens nothing to, and why. */
  readonly frozen?: Readonly<Record<string, string>>
  /** Records opened in the present window, and how many may be. */
  readonly opened?: number
  readonly limit?: number
  /** Records that nobody should open. */
  readonly canaries?: number
}

/** The vault, where there is one. */
export interface VaultDesk {
  /** @throws ConfigError for a `vault.json` that cannot be used; StoreError */
  status(): Promise<VaultStatus>
  /** The holders whose operator's socket this process may open. */
  holders(): Promise<readonly HolderReading[]>
}

/** The policies of the configuration. */
export interface PolicyDesk {
  /** Undefined where they are of another engine, such as Cedar. */
  readonly inForce: PolicySet | undefined
  /** Those that the file holds now. @throws ConfigError when they cannot be read */
  onDisk(): Promise<PolicySet | undefined>
}

/** A route that asks for something, in words. */
export interface GuardedRoute {
  readonly route: string
  /** One of these, all of these, ...: a sentence each. */
  readonly needs: readonly string[]
}

/** What a check of the setup found: `postern doctor`. */
export interface SetupFinding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'bad'
  readonly detail: string
  readonly hint?: string
}

/** The process that the console is part of. */
export interface SystemReading {
  readonly instance: string
  readonly versions: Readonly<Record<string, string>>
  /** Seconds since it started. */
  readonly uptime: number
  /** Bytes. */
  readonly memory: { readonly resident: number; readonly heapUsed: number; readonly heapTotal: number }
  /** Milliseconds that callbacks of this thread came late, since the last reading. */
  readonly eventLoopDelay: { readonly mean: number; readonly p99: number; readonly max: number }
  /** Threads that take requests. */
  readonly workers: number
  readonly stores: readonly { readonly name: string; readonly kind: string }[]
  /** Events lost since the start, by where. */
  readonly lost: Readonly<Record<string, number>>
}

/** As much of built-in identity as operators are shown and may change. */
export type IdentityDesk = Pick<
  BuiltInIdentity,
  | 'accounts'
  | 'apiKeys'
  | 'deleteAccount'
  | 'disableAccount'
  | 'enableAccount'
  | 'endSessions'
  | 'factorsOf'
  | 'sessions'
>

/** Everything the console shows and does, given by the process that it is part of. */
export interface ConsoleParts {
  readonly clock: Clock
  readonly random: RandomSource
  /** Reports an error that nobody foresaw to the operator. @param part what failed */
  failed(part: string, error: unknown): void
  readonly traffic: TrafficStore
  /** Resolves when every event so far is in `traffic`. */
  flush(): Promise<void>
  readonly live: LiveFeed
  readonly remediations: RemediationStore
  /** Absent where no approvals are kept. */
  readonly approvals: Approvals | undefined
  /** Absent where the configuration has no `identity`. */
  readonly identity: IdentityDesk | undefined
  /** Absent where the console keeps no accounts of its own. */
  readonly operators: OperatorAccounts | undefined
  /** Instances that are there, this one first. */
  instances(): Promise<readonly Instance[]>
  /** Whether bans are in a store that all of them read. */
  readonly sharesBans: boolean
  /** Absent where nobody's sessions can be revoked. */
  readonly revocations: Pick<Revocations, 'revokePrincipal'> | undefined
  /** Absent where the configuration names no policies. */
  readonly policies: PolicyDesk | undefined
  guardedRoutes(): readonly GuardedRoute[]
  /** Roles whose holders can consent to acts of others. */
  approvingRoles(): ReadonlySet<string>
  /** Absent where there is no `vault.json`. */
  vault(): VaultDesk | undefined
  system(): SystemReading
  /** Every check of `postern doctor`. */
  diagnose(): Promise<readonly SetupFinding[]>
  /** Absent where no old rows are kept. */
  readonly undo: UndoDesk | undefined
  /** Absent where no log is kept. @throws StoreError when it cannot be read */
  readonly audit: (() => Promise<AuditLogReader>) | undefined
  readonly settings: ConsoleSettings
  /** Names of the bouncers that may read bans. */
  bouncers(): Promise<readonly string[]>
  limits(key: string): Promise<readonly LimitStanding[]>
  attack(name: AttackName): Promise<AttackResult>
  /** Sends a test alert. @returns what went wrong; undefined where no alerts are configured */
  readonly testAlerts: (() => Promise<readonly string[]>) | undefined
  /** Resolves when the act is in the audit log. @throws StoreError; then it is not to be done */
  record(act: ConsoleAct, operator: string): Promise<void>
  health(): readonly Health[]
  about(): {
    readonly gateway: string
    readonly upstream: string
    readonly mode: 'enforce' | 'observe'
    readonly configuration: string | undefined
  }
}
