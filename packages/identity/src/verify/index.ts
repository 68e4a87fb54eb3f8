export {
  authJs,
  betterAuth,
  expressSession,
  fastifySession,
} from './application-sessions.ts'
export { certificateMethod } from './certificate-method.ts'
export type { Claims } from './claims.ts'
export { principalOf } from './claims-principal.ts'
export { credentialOf } from './credential.ts'
export { dpopProofs } from './dpop.ts'
export { type EnrichmentLookUp, enriched, httpLookUp, postgresLookUp } from './enriched.ts'
export { identifyBy } from './identify-by.ts'
export { ABSENT, type Identification, type IdentifyMethod, known, REFUSED } from './identify-method.ts'
export { introspectionMethod } from './introspection-method.ts'
export { type JwtMethodOptions, jwtMethod } from './jwt-method.ts'
export { type JwtVerifier, type JwtVerifierOptions, jwtVerifier } from './jwt-verifier.ts'
export { type KeySet, localKeySet } from './key-set.ts'
export { prefixed } from './prefixed.ts'
export { auth0, clerk, cognito, entra, keycloak } from './presets.ts'
export { cloudflareAccess, oauth2Proxy, proxyMethod, tailscale } from './proxy-method.ts'
export { remoteKeySet } from './remote-key-set.ts'
export { type SessionMethodOptions, sessionMethod } from './session-method.ts'
export { sessionUrl } from './session-url.ts'
