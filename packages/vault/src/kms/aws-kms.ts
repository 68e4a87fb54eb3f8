import { type Clock, systemClock } from '@postern/core'
import { type AwsCredentials, awsSignature } from './aws-signature.ts'
import type { KeyService } from './key-service.ts'
import { base64Field, type Fetch, postJson } from './post-json.ts'

/** The key in AWS KMS, its region, and the identity that may use it. */
export interface AwsKmsOptions {
  readonly region: string
  /** Key id, ARN or alias. One key per holder, in an account of its own. */
  readonly keyId: string
  /** Called before each request: temporary credentials change. */
  readonly credentials: () => AwsCredentials | Promise<AwsCredentials>
  /** Default `https://kms.REGION.amazonaws.com`. */
  readonly endpoint?: string
  readonly fetch?: Fetch
  readonly clock?: Clock
}

/**
 * AWS KMS (`Encrypt`, `Decrypt`) as what unlocks a holder. The encryption context
 * says what for, and shows in CloudTrail.
 */
export function awsKms(options: AwsKmsOptions): KeyService {
  const { region, keyId, credentials, fetch = globalThis.fetch, clock = systemClock } = options
  const url = new URL(options.endpoint ?? `https://kms.${region}.amazonaws.com`)
  const name = `aws-kms ${region} ${keyId}`
  const call = async (
    operation: 'Encrypt' | 'Decrypt',
    fields: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const body = JSON.stringify({
      KeyId: keyId,
      EncryptionContext: { purpose: 'postern-vault-holder' },
      ...fields,
    })
    const headers = {
      host: url.host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    }
    const time = clock.now()
    const signed = awsSignature(
      { method: 'POST', path: '/', headers, body, region, service: 'kms', time },
      await credentials(),
    )
    const { host: _host, ...sent } = { ...headers, ...signed }
    return postJson(fetch, { name, url: `${url.origin}/`, headers: sent, body })
  }
  return {
    name,
    wrap: async secret =>
      base64Field(
        name,
        await call('Encrypt', { Plaintext: Buffer.from(secret).toString('base64') }),
        'CiphertextBlob',
      ),
    unwrap: async wrapped =>
      base64Field(
        name,
        await call('Decrypt', { CiphertextBlob: Buffer.from(wrapped).toString('base64') }),
        'Plaintext',
      ),
  }
}
