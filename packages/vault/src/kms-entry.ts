/** `@postern/vault/kms`: services that keep the key which unlocks a holder. */

export { type AwsKmsOptions, awsKms } from './kms/aws-kms.ts'
export type { AwsCredentials } from './kms/aws-signature.ts'
export { type GcpKmsOptions, gcpKms } from './kms/gcp-kms.ts'
export type { KeyService } from './kms/key-service.ts'
export { type Pkcs11Module, type Pkcs11Options, pkcs11 } from './kms/pkcs11.ts'
export type { Fetch } from './kms/post-json.ts'
export { type VaultTransitOptions, vaultTransit } from './kms/vault-transit.ts'
