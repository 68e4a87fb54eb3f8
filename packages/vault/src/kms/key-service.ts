/** A service that keeps a key and wraps small secrets under it: a cloud KMS, a transit engine, a token. */
export interface KeyService {
  /** For people, e.g. `aws-kms eu-west-1 alias/holder-1`. */
  readonly name: string
  wrap(secret: Uint8Array): Promise<Uint8Array>
  /** @throws CredentialError or StoreError */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>
}
