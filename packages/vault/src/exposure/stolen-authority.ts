import { randomBytes } from 'node:crypto'
import { type SigningKey, signingKeyOf } from '../primitive/ed25519.ts'
import type { RecordContext } from '../record/record-context.ts'
import { type NamedRecord, namedIn, signCapability } from '../split/capability.ts'
import { signIdentity } from '../split/identity-statement.ts'
import { parseSigned } from '../split/signed-text.ts'
import { type CandidateSecrets, SIGNED } from './candidate-secrets.ts'

/** Keys tried as those of people and of who enrolls them: a wrong one costs requests. */
const MAX_SIGNERS = 200

/** A capability that a person signed and that was taken on its way, or from memory. */
export interface CapturedCapability {
  readonly text: string
  readonly names: (context: RecordContext) => boolean
}

/** Somebody in whose name capabilities can be signed with what was stolen. */
export interface StolenSigner {
  /** A capability for one value. */
  capability(context: RecordContext, service: string, now: number): string
  /** The same key in the name of a person that does not exist yet; undefined for the key of one person. */
  readonly invents: boolean
  /** Goes on as another person. */
  another(): void
}

/** Capabilities in the loot. Whether they were used, holders know. */
export function capturedCapabilities({ texts }: CandidateSecrets): readonly CapturedCapability[] {
  return texts.flatMap((text): readonly CapturedCapability[] => {
    const body = SIGNED.test(text) ? parseSigned(text)?.body : undefined
    if (body?.['action'] !== 'open' || !Array.isArray(body['records'])) return []
    try {
      const isNamed = namedIn(body['records'] as readonly NamedRecord[])
      return [{ text, names: ({ tenant, table, column, row }) => isNamed(tenant, table, column, row) }]
    } catch {
      return []
    }
  })
}

/**
 * Signers that the loot makes: keys of sessions whose statement of identity is there too, and every key as
 * that of an enroller, who can invent people.
 */
export function stolenSigners({ texts, keys }: CandidateSecrets): readonly StolenSigner[] {
  const own = keys.slice(0, MAX_SIGNERS).map(key => signingKeyOf(key))
  const statements = new Map<string, string>()
  for (const text of texts) {
    const key = SIGNED.test(text) ? parseSigned(text)?.body['key'] : undefined
    if (typeof key === 'string') statements.set(key, text)
  }
  const people = own.flatMap((key): readonly StolenSigner[] => {
    const identity = statements.get(key.publicKey.toString('base64url'))
    return identity === undefined ? [] : [new Signer(key, () => identity, false)]
  })
  return [...people, ...own.map(enroller => inventor(enroller))]
}

function inventor(enroller: SigningKey): StolenSigner {
  const session = signingKeyOf(randomBytes(32))
  const key = session.publicKey.toString('base64url')
  return new Signer(
    session,
    actor => signIdentity(enroller, { actor, key, notAfter: 8_640_000_000_000_000 }),
    true,
  )
}

class Signer implements StolenSigner {
  readonly invents: boolean
  readonly #key: SigningKey
  readonly #identityOf: (actor: string) => string
  #identity = ''

  constructor(key: SigningKey, identityOf: (actor: string) => string, invents: boolean) {
    this.#key = key
    this.#identityOf = identityOf
    this.invents = invents
    this.another()
  }

  another(): void {
    this.#identity = this.#identityOf(`nobody ${randomBytes(8).toString('hex')}`)
  }

  capability({ tenant, table, column, row }: RecordContext, service: string, now: number): string {
    return signCapability(this.#key, {
      action: 'open',
      service,
      records: [{ tenant, table, row, columns: [column] }],
      issuedAt: now,
      expiresAt: now + 60_000,
      nonce: randomBytes(16).toString('base64url'),
      identity: this.#identity,
    })
  }
}
