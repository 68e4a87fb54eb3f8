/** `@postern/vault/held`: for browsers. Needs WebCrypto and nothing of Node. */
export { HeldError } from './held/held-error.ts'
export { openFile, sealFile } from './held/held-file.ts'
export { type HeldContext, openHeld, type SpaceKey, sealHeld } from './held/held-record.ts'
export { type HeldSuite, Member, memberFingerprint, type PublicMember } from './held/member.ts'
export { type CapabilityRequest, type NamedRow, SessionKey } from './held/session-key.ts'
export { createSpace, type Grant, grantSpace, nextEpoch, openGrant } from './held/space.ts'
