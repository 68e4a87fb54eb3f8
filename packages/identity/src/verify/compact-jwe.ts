import { CredentialError } from '@postern/core'
import { decodeBase64url } from './base64url.ts'
import { jsonObject } from './compact-jws.ts'
import type { Jwk } from './verification-key.ts'

/**
 * How tokens may be encrypted: key management and content encryption are pinned. RSA1_5 and
 * passwords (PBES2) are not among the possible.
 */
export interface DecryptionKey {
  readonly jwk: Jwk
  readonly algorithm: string
  readonly encryption: string
}

const FORBIDDEN = /^(?:RSA1_5|PBES2|none)/
const MAX_LENGTH = 65_536

/**
 * Opens a compact JWE (RFC 7516) by jose, behind stricter rules than jose's: five parts of
 * canonical base64url, `alg` and `enc` exactly those of the key, the key's own `alg` and `use`
 * agreeing, nothing critical, no compression.
 * @throws CredentialError (rejects) for every token that does not hold
 */
export async function openCompactJwe(token: string, key: DecryptionKey): Promise<Uint8Array> {
  const parts = token.length > MAX_LENGTH ? [] : token.split('.')
  const header = jsonObject(decodeBase64url(parts[0] ?? ''))
  const { alg, enc } = header ?? {}
  const { alg: pinned, use } = key.jwk
  if (
    parts.length !== 5 ||
    parts.some(part => decodeBase64url(part) === undefined) ||
    header === undefined ||
    'crit' in header ||
    'zip' in header ||
    alg !== key.algorithm ||
    enc !== key.encryption ||
    FORBIDDEN.test(key.algorithm) ||
    // A key for direct encryption names the content encryption (RFC 7517 section 4.4, RFC 7520 section 5.6).
    (pinned !== undefined && pinned !== (alg === 'dir' ? enc : alg)) ||
    (use !== undefined && use !== 'enc')
  )
    throw notOpened()
  try {
    // Few tokens are encrypted.
    const { compactDecrypt, importJWK } = await import('jose')
    const imported = await importJWK({ ...key.jwk }, key.algorithm)
    const { plaintext } = await compactDecrypt(token, imported, {
      keyManagementAlgorithms: [key.algorithm],
      contentEncryptionAlgorithms: [key.encryption],
    })
    return plaintext
  } catch {
    throw notOpened()
  }
}

function notOpened(): CredentialError {
  return new CredentialError('the token is invalid')
}
