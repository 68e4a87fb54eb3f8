import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CidrSet } from '@postern/core'
import { PasskeyAccounts } from '@postern/identity/built-in'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import { SoftPasskey } from '../../../identity/test/soft-passkey.ts'
import type { Role } from '../../src/api/console-session.ts'
import { OperatorAccounts } from '../../src/api/operator-accounts.ts'
import { type ConsoleServer, startConsole } from '../../src/serve/console-server.ts'
import { type Answer, ask, type SignedIn, signIn } from './ask.ts'
import { type TestParts, testParts } from './console-parts.ts'

/** What a browser gets before a passkey is made or asked for. */
export type PasskeyOptions = { readonly challenge: string; readonly user: { readonly id: string } }

/** A console with accounts of its own, reached at `localhost` as passkeys need it. */
export class AccountConsole {
  readonly operators: OperatorAccounts
  readonly given: TestParts
  readonly server: ConsoleServer
  readonly origin: string
  /** Somebody with every role, by a link. */
  readonly opal: SignedIn
  readonly #folder: string
  readonly #database: SqliteDatabase

  private constructor(
    parts: Pick<AccountConsole, 'operators' | 'given' | 'server' | 'opal'>,
    place: { readonly folder: string; readonly database: SqliteDatabase },
  ) {
    this.operators = parts.operators
    this.given = parts.given
    this.server = parts.server
    this.opal = parts.opal
    this.origin = `http://localhost:${new URL(parts.server.address).port}`
    this.#folder = place.folder
    this.#database = place.database
  }

  static async open(): Promise<AccountConsole> {
    const folder = mkdtempSync(join(tmpdir(), 'postern-operators-'))
    const database = openSqlite({ path: join(folder, 'console.db') })
    const operators = new OperatorAccounts(await PasskeyAccounts.open({ database, name: 'Postern console' }))
    const given = await testParts({ operators })
    const listen = { host: '127.0.0.1', port: 0 }
    const server = await startConsole({
      parts: given.parts,
      listen,
      path: '/',
      origins: [],
      trustedProxies: () => CidrSet.parse(['loopback']),
    })
    const opal = await signIn(server, 'opal')
    return new AccountConsole({ operators, given, server, opal }, { folder, database })
  }

  call(method: string, path: string, body?: object, headers: object = {}): Promise<Answer> {
    const { origin } = this
    return ask(`${this.server.address}api${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', Host: new URL(origin).host, Origin: origin, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  invite(name: string, roles: readonly string[], by: object = this.opal): Promise<Answer> {
    return this.call('POST', '/operators', { name, roles }, by)
  }

  /** Follows an invitation as a browser does. */
  async accept(invitation: unknown, passkey: SoftPasskey): Promise<Answer> {
    const { json } = await this.call('POST', '/invitation/options', { invitation })
    const answer = json['options'] === undefined ? {} : passkey.create(json['options'] as PasskeyOptions)
    return this.call('POST', '/invitation', { invitation, answer })
  }

  async signInBy(passkey: SoftPasskey): Promise<Answer> {
    const { json } = await this.call('POST', '/session/passkey/options', {})
    passkey.counter++
    return this.call('POST', '/session/passkey', { answer: passkey.get(json['options'] as PasskeyOptions) })
  }

  /** An account that can sign in, and its passkey. */
  async member(
    name: string,
    roles: readonly Role[],
  ): Promise<{ readonly id: string; readonly passkey: SoftPasskey; readonly session: SignedIn }> {
    const passkey = new SoftPasskey(this.origin)
    // As the command line of the machine does: the console makes no approver.
    const invitation = await this.operators.invite(name, roles)
    const session = sessionOf(await this.accept(invitation, passkey))
    return { id: await this.idOf(name), passkey, session }
  }

  async idOf(name: string): Promise<string> {
    return (await this.operators.list()).find(operator => operator.name === name)?.id ?? ''
  }

  async close(): Promise<void> {
    await this.server.close()
    await this.given.close()
    this.#database.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The session that an answer began. */
export function sessionOf({ headers, json }: Answer): SignedIn {
  return {
    'Content-Type': 'application/json',
    Cookie: headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '',
    'Console-Token': String(json['token']),
  }
}
