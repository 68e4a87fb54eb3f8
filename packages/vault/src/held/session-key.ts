import { type Bytes, concat, randomBytes, toBase64, utf8, type WebKey } from './bytes.ts'

/** A row, and which of its columns, that a capability names. */
export interface NamedRow {
  readonly tenant: string
  readonly table: string
  readonly row: readonly string[]
  readonly columns: readonly string[]
}

/** What a person allows: opening or searching named rows once, through one service. */
export interface CapabilityRequest {
  readonly action: 'open' | 'search'
  readonly service: string
  readonly records: readonly NamedRow[]
  /** Statement of whose key this is, signed by the enroller: the server sends it after sign-in. */
  readonly identity: string
  /** Milliseconds it is good for, at most 300,000. Default 60,000. */
  readonly lifetime?: number
}

/**
 * A person's key for a session: made by the browser, not extractable, so that a script that gets into the
 * page can use it while it is there and cannot take it away. Enroll `publicKey`, then sign what the person
 * asks to see.
 */
export class SessionKey {
  /** Ed25519 public key, base64url. */
  readonly publicKey: string
  readonly #key: WebKey

  private constructor(publicKey: string, key: WebKey) {
    this.publicKey = publicKey
    this.#key = key
  }

  static async create(): Promise<SessionKey> {
    const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    if (!('privateKey' in pair)) throw new TypeError('Ed25519 makes pairs of keys')
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
    return new SessionKey(toBase64(publicKey), pair.privateKey)
  }

  /** A signed capability, for the `capability` option of the server's `openRows`. */
  async capability(request: CapabilityRequest, now: number = Date.now()): Promise<string> {
    const json = canonical({
      action: request.action,
      expiresAt: now + (request.lifetime ?? 60_000),
      identity: request.identity,
      issuedAt: now,
      nonce: toBase64(randomBytes(16)),
      records: request.records.map(({ tenant, table, row, columns }) => ({ tenant, table, row, columns })),
      service: request.service,
    })
    const message = concat(utf8('postern vault capability 1\n'), utf8(json))
    const signature: Bytes = new Uint8Array(await crypto.subtle.sign('Ed25519', this.#key, message))
    return `${toBase64(utf8(json))}.${toBase64(signature)}`
  }
}

type Plain = string | number | readonly Plain[] | { readonly [key: string]: Plain }

/** JSON with the keys of objects in order (RFC 8785), of texts, whole numbers, lists and objects. */
function canonical(value: Plain): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value as { readonly [key: string]: Plain })
  entries.sort(([x], [y]) => (x < y ? -1 : 1))
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`
}
