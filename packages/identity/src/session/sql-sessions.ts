import type { IdentityDatabase } from '../database/identity-database.ts'
import { SESSION_SQL } from './session.sql.ts'
import type { DeviceSessionRow, SessionRow } from './session.ts'
import type { SessionStore, StoredSession } from './session-store.ts'

/**
 * Sessions beside their accounts, in SQLite or PostgreSQL. Roles and the state of the account come with each
 * session in one statement, so a change of either holds from the next request, on every node.
 */
export class SqlSessions implements SessionStore {
  readonly #database: IdentityDatabase

  constructor(database: IdentityDatabase) {
    this.#database = database
  }

  async insert(session: StoredSession): Promise<void> {
    const { hash, id, accountId, impersonator, organisationId, createdAt } = session
    const { idleUntil, expiresAt, authenticatedAt, amr, address, agent } = session
    const values = [hash, id, accountId, impersonator, organisationId, createdAt]
    const rest = [idleUntil, expiresAt, authenticatedAt, amr, address, agent]
    await this.#database.batch([
      { text: SESSION_SQL.insert, values: [...values, ...rest], expect: 1 },
      { text: SESSION_SQL.trim, values: [accountId] },
    ])
  }

  find(hash: string, now: number): SessionRow | undefined | Promise<SessionRow | undefined> {
    const rows = this.#database.rows<SessionRow>(SESSION_SQL.find, [hash, now])
    return rows instanceof Promise ? rows.then(([row]) => row) : rows[0]
  }

  touch(
    hash: string,
    { seenAt, idleUntil, address }: Pick<StoredSession, 'seenAt' | 'idleUntil' | 'address'>,
  ): boolean | Promise<boolean> {
    const touched = this.#database.batch([
      { text: SESSION_SQL.touch, values: [hash, seenAt, idleUntil, address] },
    ])
    return touched instanceof Promise ? touched.then(() => true) : true
  }

  async rotate(
    hash: string,
    next: Pick<StoredSession, 'hash' | 'authenticatedAt' | 'amr'>,
  ): Promise<boolean> {
    const values = [hash, next.hash, next.authenticatedAt, next.amr]
    return this.#database.batch([{ text: SESSION_SQL.rotate, values, expect: 1 }])
  }

  async enter(accountId: string, id: string, organisationId: string): Promise<boolean> {
    const values = [id, accountId, organisationId]
    return this.#database.batch([{ text: SESSION_SQL.enter, values, expect: 1 }])
  }

  async list(accountId: string, now: number): Promise<readonly DeviceSessionRow[]> {
    return this.#database.rows<DeviceSessionRow>(SESSION_SQL.list, [accountId, now])
  }

  async listAll(now: number, limit: number): Promise<readonly DeviceSessionRow[]> {
    return this.#database.rows<DeviceSessionRow>(SESSION_SQL.listAll, [now, limit])
  }

  async end(hash: string): Promise<void> {
    await this.#database.batch([{ text: SESSION_SQL.revokeHash, values: [hash] }])
  }

  async revoke(accountId: string, id: string): Promise<boolean> {
    return this.#database.batch([{ text: SESSION_SQL.revoke, values: [id, accountId], expect: 1 }])
  }

  async revokeAll(accountId: string, except: string): Promise<boolean> {
    return (await this.#database.rows(SESSION_SQL.revokeAll, [accountId, except])).length > 0
  }

  async prune(now: number): Promise<void> {
    await this.#database.batch([{ text: SESSION_SQL.prune, values: [now] }])
  }
}
