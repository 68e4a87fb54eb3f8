import {
  type Act,
  actDigest,
  type Clock,
  canonicalJson,
  type RandomSource,
  type StepUpProof,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { freshToken } from '../database/identity-secret.ts'
import { parseAssertion } from '../passkey/passkey-answer.ts'
import type { Passkeys } from '../passkey/passkeys.ts'
import type { Session } from '../session/session.ts'

/** A question to the holder of a session: do you confirm exactly this? */
export interface PendingConfirmation {
  readonly nonce: string
  readonly act: Act
  /** Where the page goes back to. */
  readonly backTo: string
}

interface Row {
  readonly nonce: string
  readonly sessionId: string
  readonly act: string
  readonly digest: string
  readonly askedAt: number
  readonly assertion: string | null
  readonly provenAt: number | null
  readonly backTo: string
}

const COLUMNS = `nonce, session_id AS "sessionId", act, digest, asked_at AS "askedAt", assertion, proven_at AS "provenAt", back_to AS "backTo"`

const SQL: Readonly<Record<'insert' | 'find' | 'ofAct' | 'prove' | 'spend' | 'prune' | 'trim', string>> = {
  insert: `INSERT INTO confirmation (nonce, account_id, session_id, act, digest, asked_at, expires_at, back_to)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
  find: `SELECT ${COLUMNS} FROM confirmation WHERE nonce = $1 AND session_id = $2 AND expires_at > $3`,
  ofAct: `SELECT ${COLUMNS} FROM confirmation WHERE session_id = $1 AND act = $2 AND expires_at > $3 ORDER BY proven_at IS NULL, asked_at DESC LIMIT 1`,
  prove:
    'UPDATE confirmation SET assertion = $3, proven_at = $4 WHERE nonce = $1 AND session_id = $2 AND proven_at IS NULL AND expires_at > $4',
  spend:
    'DELETE FROM confirmation WHERE nonce = $1 AND session_id = $2 AND proven_at IS NOT NULL AND expires_at > $3',
  prune: 'DELETE FROM confirmation WHERE expires_at <= $1',
  trim: `DELETE FROM confirmation WHERE session_id = $1 AND proven_at IS NULL AND nonce NOT IN
    (SELECT nonce FROM confirmation WHERE session_id = $1 ORDER BY asked_at DESC LIMIT 20)`,
}

/** How long a question stands, and how long its answer is good. */
const OPEN_MS = 300_000

/**
 * Confirmations bound to one act: the passkey signs the digest of who, what, to what, with what arguments,
 * when. Bound to the session that asked, good once.
 */
export class Confirmations {
  readonly #database: IdentityDatabase
  readonly #passkeys: Passkeys
  readonly #clock: Clock
  readonly #random: RandomSource

  constructor(options: {
    readonly database: IdentityDatabase
    readonly passkeys: Passkeys
    readonly clock?: Clock
    readonly random?: RandomSource
  }) {
    this.#database = options.database
    this.#passkeys = options.passkeys
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /** Asks for an act to be confirmed; a question that stands already is asked again, not doubled. */
  async ask(session: Session, act: Act, backTo: string): Promise<PendingConfirmation> {
    const now = this.#clock.now()
    const text = actText(act)
    const [open] = await this.#database.rows<Row>(SQL.ofAct, [session.id, text, now])
    if (open !== undefined && open.provenAt === null && open.backTo === backTo)
      return { nonce: open.nonce, act, backTo }
    const nonce = freshToken(this.#random)
    const digest = Buffer.from(actDigest(act, now, nonce)).toString('base64url')
    const values = [nonce, session.accountId, session.id, text, digest, now, now + OPEN_MS, backTo]
    await this.#database.batch([
      { text: SQL.prune, values: [now] },
      { text: SQL.insert, values, expect: 1 },
      { text: SQL.trim, values: [session.id] },
    ])
    return { nonce, act, backTo }
  }

  /** The question behind a nonce, for the page that asks it; only for the session that it was made for. */
  async find(session: Session, nonce: string): Promise<PendingConfirmation | undefined> {
    const row = await this.#find(session, nonce)
    return row === undefined ? undefined : { nonce, act: readAct(row.act), backTo: row.backTo }
  }

  /** What the browser needs to sign the act. */
  async options(session: Session, nonce: string): Promise<PublicKeyCredentialRequestOptionsJSON | undefined> {
    const row = await this.#find(session, nonce)
    return row === undefined ? undefined : this.#passkeys.signatureOptions(session.accountId, row.digest)
  }

  /** Takes the signed answer. @returns whether it holds, for this question and this account */
  async prove(session: Session, nonce: string, answer: unknown): Promise<boolean> {
    const row = await this.#find(session, nonce)
    if (row === undefined || row.provenAt !== null) return false
    const proven = await this.#passkeys.verify(answer, row.digest)
    if (proven?.accountId !== session.accountId) return false
    const assertion = Buffer.from(
      JSON.stringify({
        answer: parseAssertion(answer),
        publicKey: proven.publicKey,
        time: row.askedAt,
        nonce: row.nonce,
      }),
    ).toString('base64url')
    return this.#database.batch([
      { text: SQL.prove, values: [nonce, session.id, assertion, this.#clock.now()], expect: 1 },
    ])
  }

  /**
   * The proof for an act, if this session gave one for exactly this act. It is used up by
   * this call: of two at once, one gets it.
   */
  async spend(session: Session, act: Act): Promise<StepUpProof | undefined> {
    const now = this.#clock.now()
    const [row] = await this.#database.rows<Row>(SQL.ofAct, [session.id, actText(act), now])
    if (row === undefined || row.provenAt === null || row.assertion === null) return undefined
    if (Buffer.from(actDigest(act, row.askedAt, row.nonce)).toString('base64url') !== row.digest)
      return undefined
    const spent = await this.#database.batch([
      { text: SQL.spend, values: [row.nonce, session.id, now], expect: 1 },
    ])
    if (!spent) return undefined
    return {
      amr: ['hwk', 'user'],
      time: row.provenAt,
      confirmation: { digest: row.digest, assertion: row.assertion },
    }
  }

  async #find(session: Session, nonce: string): Promise<Row | undefined> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(nonce)) return undefined
    const [row] = await this.#database.rows<Row>(SQL.find, [nonce, session.id, this.#clock.now()])
    return row
  }
}

function actText({ actor, action, resource, arguments: details }: Act): string {
  return canonicalJson({ actor, action, resource, arguments: details })
}

/** An act as `actText` wrote it. */
function readAct(text: string): Act {
  const act: Act = JSON.parse(text)
  return act
}
