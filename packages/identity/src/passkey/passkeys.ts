import { type Clock, type Event, type Json, systemClock } from '@postern/core'
import { notLoaded, requireVersion, troubleOf } from '@postern/store'
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import type { Account } from '../account/account.ts'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { isUniqueViolation } from '../database/unique-violation.ts'
import { PASSKEY_SQL } from './passkey.sql.ts'
import { type AssertionAnswer, challengeOf, parseAssertion, parseRegistration } from './passkey-answer.ts'
import type { PasskeyChallenges } from './passkey-challenges.ts'

/** A passkey as its owner sees it. */
export interface Passkey {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly usedAt: number | undefined
}

interface PasskeyRow {
  readonly id: string
  readonly accountId: string
  readonly publicKey: string
  readonly counter: number
  readonly transports: string
  readonly name: string
  readonly createdAt: number
  readonly usedAt: number | null
}

export interface PasskeysOptions {
  readonly database: IdentityDatabase
  readonly challenges: PasskeyChallenges
  /** The one origin of the pages: `https://shop.example`. Never taken from a request. */
  readonly origin: string
  /** Domain the passkeys are for: the host of the origin, or a parent of it. Default: the host. */
  readonly rpId?: string
  /** Name that browsers show. */
  readonly rpName: string
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
}

/** A verified assertion: whose passkey signed what. */
export interface ProvenPasskey {
  readonly accountId: string
  readonly credentialId: string
  /** COSE public key, base64url: what a third party needs to verify the assertion again. */
  readonly publicKey: string
}

const PER_ACCOUNT = 20
/** -8 EdDSA, -7 ES256, -257 RS256 (COSE). */
const ALGORITHMS = [-8, -7, -257]

/** Passkeys (WebAuthn Level 3), always with user verification, so that one is two factors. */
export class Passkeys {
  readonly #options: PasskeysOptions
  readonly #clock: Clock
  readonly rpId: string
  /** Whether pages offer them: not without the package that checks them. */
  readonly areOffered: boolean = passkeysTrouble() === undefined

  constructor(options: PasskeysOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.rpId = options.rpId ?? new URL(options.origin).hostname
  }

  /**
   * What a browser needs to make a passkey for this account. The challenge is bound
   * to the account and works once.
   */
  async registrationOptions(account: Account): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { generateRegistrationOptions } = await loadWebAuthn()
    const known = await this.#rows(account.id)
    const challenge = await this.#options.challenges.issue(this.#purpose('register', account.id))
    return generateRegistrationOptions({
      rpName: this.#options.rpName,
      rpID: this.rpId,
      userName: account.email,
      userDisplayName: account.name === '' ? account.email : account.name,
      userID: new Uint8Array(Buffer.from(account.id)),
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      attestationType: 'none',
      supportedAlgorithmIDs: ALGORITHMS,
      excludeCredentials: known.map(row => ({ id: row.id, transports: words(row.transports) })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
  }

  /**
   * Verifies what the browser made, and stores it.
   * @returns undefined when it does not hold
   */
  async register(account: Account, answer: unknown, name: string): Promise<Passkey | undefined> {
    const response = parseRegistration(answer)
    const challenge = challengeOf(response)
    if (response === undefined || challenge === undefined) return undefined
    const issued = await this.#options.challenges.find(this.#purpose('register', account.id), challenge)
    if (issued === undefined) return undefined
    if ((await this.#rows(account.id)).length >= PER_ACCOUNT) return undefined
    const { verifyRegistrationResponse } = await loadWebAuthn()
    const verified = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: this.#options.origin,
      expectedRPID: this.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }).catch(() => undefined)
    if (verified?.verified !== true || !(await issued.useUp(account.id))) return undefined
    const { credential } = verified.registrationInfo
    const now = this.#clock.now()
    const label = name.replace(/[\u0000-\u001f\u007f]/g, '').slice(0, 60)
    const publicKey = Buffer.from(credential.publicKey).toString('base64url')
    const transports = (credential.transports ?? [])
      .filter(transport => /^[a-z-]{1,20}$/.test(transport))
      .slice(0, 8)
    const values = [
      credential.id,
      account.id,
      publicKey,
      credential.counter,
      transports.join(' '),
      label,
      now,
    ]
    try {
      await this.#options.database.batch([{ text: PASSKEY_SQL.insert, values, expect: 1 }])
    } catch (error) {
      if (isUniqueViolation(error)) return undefined
      throw error
    }
    this.#emit('factor.added', account.id)
    return { id: credential.id, name: label, createdAt: now, usedAt: undefined }
  }

  /**
   * What a browser needs to sign in with any passkey it has for this site: no
   * account is named, so none can be guessed.
   */
  async signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const challenge = await this.#options.challenges.issue(this.#purpose('sign-in', ''))
    return this.#requestOptions(challenge, [])
  }

  /** The account that a passkey belongs to which an answer names; nothing of the answer is verified. */
  async ownerOf(answer: unknown): Promise<string | undefined> {
    const id = parseAssertion(answer)?.id
    if (id === undefined) return undefined
    const [row] = await this.#options.database.rows<PasskeyRow>(PASSKEY_SQL.find, [id])
    return row?.accountId
  }

  /** The account whose passkey answered a sign-in challenge, or undefined. */
  async signIn(answer: unknown): Promise<ProvenPasskey | undefined> {
    return this.#answered(answer, this.#purpose('sign-in', ''))
  }

  /** What a browser needs to prove that the holder of this account is there. */
  async proofOptions(accountId: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const challenge = await this.#options.challenges.issue(this.#purpose('prove', accountId))
    return this.#requestOptions(challenge, await this.#rows(accountId))
  }

  /** Whether a passkey of this account answered a challenge of `proofOptions`. */
  async prove(accountId: string, answer: unknown): Promise<ProvenPasskey | undefined> {
    const proven = await this.#answered(answer, this.#purpose('prove', accountId))
    return proven?.accountId === accountId ? proven : undefined
  }

  /**
   * What a browser needs to sign a challenge of the caller's, such as the digest of
   * an act. @param challenge base64url
   */
  async signatureOptions(
    accountId: string,
    challenge: string,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.#requestOptions(challenge, await this.#rows(accountId))
  }

  /**
   * Verifies an assertion against a challenge (base64url): origin, domain, user verification, signature and
   * counter. That the challenge is answered once is for the caller to see to.
   */
  async verify(answer: unknown, challenge: string): Promise<ProvenPasskey | undefined> {
    const response: AssertionAnswer | undefined = parseAssertion(answer)
    if (response === undefined || challengeOf(response) !== challenge) return undefined
    const [row] = await this.#options.database.rows<PasskeyRow>(PASSKEY_SQL.find, [response.id])
    const handle = response.response.userHandle
    if (
      row === undefined ||
      (handle !== undefined && Buffer.from(handle, 'base64url').toString() !== row.accountId)
    )
      return undefined
    const { verifyAuthenticationResponse } = await loadWebAuthn()
    const verified = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: this.#options.origin,
      expectedRPID: this.rpId,
      requireUserVerification: true,
      credential: {
        id: row.id,
        publicKey: new Uint8Array(Buffer.from(row.publicKey, 'base64url')),
        counter: row.counter,
      },
    }).catch(() => undefined)
    if (verified?.verified !== true) return undefined
    const counter = verified.authenticationInfo.newCounter
    // A counter that does not grow tells of a copied authenticator; most passkeys have none and say 0.
    const isFresh = await this.#options.database.batch([
      { text: PASSKEY_SQL.used, values: [row.id, counter, this.#clock.now()], expect: 1 },
    ])
    return isFresh ? { accountId: row.accountId, credentialId: row.id, publicKey: row.publicKey } : undefined
  }

  async list(accountId: string): Promise<readonly Passkey[]> {
    return (await this.#rows(accountId)).map(row => ({
      id: row.id,
      name: row.name,
      createdAt: row.createdAt,
      usedAt: row.usedAt ?? undefined,
    }))
  }

  async remove(accountId: string, id: string): Promise<boolean> {
    const removed = await this.#options.database.batch([
      { text: PASSKEY_SQL.remove, values: [id, accountId], expect: 1 },
    ])
    if (removed) this.#emit('factor.removed', accountId)
    return removed
  }

  /** After a compromise: whoever had the account may have added one. */
  async removeAll(accountId: string): Promise<void> {
    const removed = await this.#options.database.rows(PASSKEY_SQL.removeAll, [accountId])
    if (removed.length > 0) this.#emit('factor.removed', accountId)
  }

  /** Verifies the answer to a challenge of ours, which is used up by a right one. */
  async #answered(answer: unknown, purpose: string): Promise<ProvenPasskey | undefined> {
    const challenge = challengeOf(parseAssertion(answer))
    if (challenge === undefined) return undefined
    const issued = await this.#options.challenges.find(purpose, challenge)
    const proven = issued === undefined ? undefined : await this.verify(answer, challenge)
    if (issued === undefined || proven === undefined) return undefined
    return (await issued.useUp(proven.accountId)) ? proven : undefined
  }

  /** What a challenge is for: at this site, and for this account where one is known. */
  #purpose(use: 'register' | 'sign-in' | 'prove', accountId: string): string {
    return `${use} ${this.#options.origin} ${accountId}`
  }

  async #rows(accountId: string): Promise<readonly PasskeyRow[]> {
    return this.#options.database.rows<PasskeyRow>(PASSKEY_SQL.list, [accountId])
  }

  async #requestOptions(
    challenge: string,
    rows: readonly PasskeyRow[],
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await loadWebAuthn()
    return generateAuthenticationOptions({
      rpID: this.rpId,
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      userVerification: 'required',
      ...(rows.length > 0 && {
        allowCredentials: rows.map(row => ({ id: row.id, transports: words(row.transports) })),
      }),
    })
  }

  #emit(type: string, principal: string): void {
    const data: Json = { factor: 'passkey' }
    this.#options.emit?.({ type, time: this.#clock.now(), actor: { principal }, data })
  }
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}

const WEB_AUTHN = {
  name: '@simplewebauthn/server',
  ...{ least: '14.0.0', tested: '14.0.3' },
  ...{ place: 'identity.passkeys', needs: 'need' },
} as const

/** Why pages offer no passkeys, and what to install; undefined when they do. */
export function passkeysTrouble(): string | undefined {
  return troubleOf(WEB_AUTHN, import.meta.url)
}

/** Loaded with the first passkey. @throws (rejects) ConfigError when it is not installed or too old */
export async function loadWebAuthn(): Promise<typeof import('@simplewebauthn/server')> {
  requireVersion(WEB_AUTHN, import.meta.url)
  return import(/* webpackIgnore: true */ '@simplewebauthn/server').catch(notLoaded(WEB_AUTHN))
}
