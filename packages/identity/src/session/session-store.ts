import type { DeviceSessionRow, SessionRow } from './session.ts'

/** What is kept of a session. Roles and the state of its account are not: they are read again. */
export interface StoredSession extends Omit<DeviceSessionRow, 'roles' | 'siteRoles'> {
  /** SHA-256 of its token. */
  readonly hash: string
}

/** Newest sessions that an account keeps. */
export const MAX_SESSIONS = 100

/**
 * Where sessions are kept: the database that has the accounts, or Redis. Every call throws, or rejects with,
 * StoreError when the store does not answer. Hashes are those of tokens; times are epoch milliseconds.
 */
export interface SessionStore {
  /** Keeps a session; of its account the newest 100 stay. */
  insert(session: StoredSession): Promise<void>
  /** A live session of an account that is not disabled. At once with SQLite. */
  find(hash: string, now: number): SessionRow | undefined | Promise<SessionRow | undefined>
  /**
   * Notes that a session was used. One that ended meanwhile stays ended.
   * @returns false when it is one that nobody could end any more: it does not hold
   */
  touch(
    hash: string,
    seen: Pick<StoredSession, 'seenAt' | 'idleUntil' | 'address'>,
  ): boolean | Promise<boolean>
  /** Gives a session another token. @returns false when it ended, or another rotation won */
  rotate(
    hash: string,
    next: Pick<StoredSession, 'hash' | 'authenticatedAt' | 'amr'>,
    now: number,
  ): Promise<boolean>
  /** @returns false when the session ended, or its account is not a member */
  enter(accountId: string, id: string, organisationId: string): Promise<boolean>
  /** Live sessions of an account, last used first. */
  list(accountId: string, now: number): Promise<readonly DeviceSessionRow[]>
  /** Live sessions of all accounts, last used first. */
  listAll(now: number, limit: number): Promise<readonly DeviceSessionRow[]>
  /** Ends the session of a token, if there is one. */
  end(hash: string): Promise<void>
  /** @returns whether the account had such a session */
  revoke(accountId: string, id: string): Promise<boolean>
  /**
   * Ends every session of an account but for the one with this id.
   * @returns whether there was one
   */
  revokeAll(accountId: string, except: string): Promise<boolean>
  /** Removes what ended by itself. */
  prune(now: number): Promise<void>
}
