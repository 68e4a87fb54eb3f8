import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** Concise Binary Object Representation (RFC 8949) of the few things an authenticator writes. */
function cbor(value: number | string | Uint8Array | ReadonlyMap<number | string, unknown>): Buffer {
  const head = (major: number, count: number): Buffer =>
    count < 24
      ? Buffer.from([(major << 5) | count])
      : count < 256
        ? Buffer.from([(major << 5) | 24, count])
        : Buffer.from([(major << 5) | 25, count >> 8, count & 255])
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  const entries = [...value].flatMap(([key, inner]) => [cbor(key), cbor(inner as Uint8Array)])
  return Buffer.concat([head(5, value.size), ...entries])
}

/** An authenticator in software, for tests. */
export class SoftPasskey {
  readonly id: string = randomBytes(16).toString('base64url')
  readonly #origin: string
  readonly #rpId: string
  readonly #key: KeyObject
  readonly #cose: Buffer
  #userHandle = ''
  counter = 0
  /** Whether the page that asks is in a frame of another site. */
  isFramed = false

  constructor(origin: string, rpId: string = new URL(origin).hostname) {
    this.#origin = origin
    this.#rpId = rpId
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#cose = cbor(
      new Map<number, unknown>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    )
  }

  /** COSE public key, base64url. */
  get publicKey(): string {
    return this.#cose.toString('base64url')
  }

  /** Answers `navigator.credentials.create`. @param flags 0x45: present, verified, credential data */
  create(options: { challenge: string; user: { id: string } }, flags = 0x45): object {
    this.#userHandle = options.user.id
    const id = Buffer.from(this.id, 'base64url')
    const data = Buffer.concat([
      this.#authData(flags),
      Buffer.alloc(16),
      Buffer.from([0, id.length]),
      id,
      this.#cose,
    ])
    const attestationObject = cbor(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', data],
      ]),
    )
    const response = {
      clientDataJSON: this.#clientData('webauthn.create', options.challenge).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal'],
    }
    return { id: this.id, rawId: this.id, type: 'public-key', response, clientExtensionResults: {} }
  }

  /** Answers `navigator.credentials.get`. @param flags 0x05: present and verified */
  get(options: { challenge: string }, flags = 0x05): { response: Record<string, string> } {
    const authenticatorData = this.#authData(flags)
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()])
    const response = {
      clientDataJSON: clientDataJSON.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: sign('sha256', signed, this.#key).toString('base64url'),
      userHandle: this.#userHandle,
    }
    return Object.assign(
      { id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} },
      { response },
    )
  }

  #authData(flags: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.counter)
    return Buffer.concat([createHash('sha256').update(this.#rpId).digest(), Buffer.from([flags]), counter])
  }

  #clientData(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: this.isFramed }))
  }
}
