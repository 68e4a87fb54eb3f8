/**
 * `@postern/vault/capability`: signed rights to open named records, for servers. Browsers: `SessionKey` of
 * `held`.
 */
export { generateSigningKey, type SigningKey } from './primitive/ed25519.ts'
export {
  type Capability,
  type CapabilityAction,
  capabilityToSign,
  type NamedRecord,
  signCapability,
} from './split/capability.ts'
export { type IdentityStatement, signIdentity } from './split/identity-statement.ts'
