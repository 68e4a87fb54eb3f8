import { StoreError } from '@postern/core'
import type { KeyService } from './key-service.ts'
import { base64Field, type Fetch, postJson } from './post-json.ts'

/** The address of Vault or OpenBao, the key, and the token that may use it. */
export interface VaultTransitOptions {
  /** `https://vault.internal:8200` */
  readonly address: string
  /** Name of the key in the transit engine. One key per holder. */
  readonly key: string
  /** Default `transit`. */
  readonly mount?: string
  /** Called before each request: tokens are renewed. */
  readonly token: () => string | Promise<string>
  readonly fetch?: Fetch
}

/** The transit engine of HashiCorp Vault or OpenBao (`encrypt`, `decrypt`) as what unlocks a holder. */
export function vaultTransit(options: VaultTransitOptions): KeyService {
  const { address, key, mount = 'transit', token, fetch = globalThis.fetch } = options
  const name = `vault-transit ${address} ${mount}/${key}`
  const call = async (
    operation: 'encrypt' | 'decrypt',
    fields: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const headers = { 'x-vault-token': await token(), 'content-type': 'application/json' }
    const url = `${address}/v1/${mount}/${operation}/${encodeURIComponent(key)}`
    const { data } = await postJson(fetch, { name, url, headers, body: JSON.stringify(fields) })
    if (typeof data === 'object' && data !== null) return data as Readonly<Record<string, unknown>>
    throw new StoreError('its answer has no data', { store: name, retryable: false })
  }
  return {
    name,
    wrap: async secret => {
      const { ciphertext } = await call('encrypt', { plaintext: Buffer.from(secret).toString('base64') })
      if (typeof ciphertext !== 'string')
        throw new StoreError('its answer has no ciphertext', { store: name, retryable: false })
      return Buffer.from(ciphertext)
    },
    unwrap: async wrapped =>
      base64Field(name, await call('decrypt', { ciphertext: Buffer.from(wrapped).toString() }), 'plaintext'),
  }
}
