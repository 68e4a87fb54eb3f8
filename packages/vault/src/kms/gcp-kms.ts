import type { KeyService } from './key-service.ts'
import { base64Field, type Fetch, postJson } from './post-json.ts'

/** The key in Cloud KMS, and the token that may use it. */
export interface GcpKmsOptions {
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`. One key per holder, in a project of its own. */
  readonly key: string
  /** An OAuth access token; called before each request. */
  readonly token: () => string | Promise<string>
  /** Default `https://cloudkms.googleapis.com`. */
  readonly endpoint?: string
  readonly fetch?: Fetch
}

const PURPOSE = Buffer.from('postern-vault-holder').toString('base64')

/** Google Cloud KMS (`encrypt`, `decrypt`) as what unlocks a holder. */
export function gcpKms(options: GcpKmsOptions): KeyService {
  const { key, token, endpoint = 'https://cloudkms.googleapis.com', fetch = globalThis.fetch } = options
  const name = `gcp-kms ${key}`
  const call = async (
    operation: 'encrypt' | 'decrypt',
    fields: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ additionalAuthenticatedData: PURPOSE, ...fields })
    return postJson(fetch, { name, url: `${endpoint}/v1/${key}:${operation}`, headers, body })
  }
  return {
    name,
    wrap: async secret =>
      base64Field(
        name,
        await call('encrypt', { plaintext: Buffer.from(secret).toString('base64') }),
        'ciphertext',
      ),
    unwrap: async wrapped =>
      base64Field(
        name,
        await call('decrypt', { ciphertext: Buffer.from(wrapped).toString('base64') }),
        'plaintext',
      ),
  }
}
