import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { Visitor } from './pages/layout.ts'
import type { People } from './people.ts'

/** Who signs people in, when the shop does not. */
export interface IdentityOptions {
  /** The origin people use, with Postern in front: `http://localhost:8080`. */
  readonly origin: string
  /** `identity.backend.audience` of Postern's configuration. */
  readonly audience: string
}

/** Finds the customer whom the gateway names in a request. */
export type GatewayIdentity = (token: string | undefined) => Promise<Visitor | undefined>

/**
 * Takes the gateway's word for who acts: the token in `X-Identity-JWT`, verified. The customer is the one
 * with that e-mail address, which identity has proven to be theirs, or a new one.
 */
export function gatewayIdentity(people: People, { origin, audience }: IdentityOptions): GatewayIdentity {
  const keys = createRemoteJWKSet(new URL('/.postern/jwks', origin))
  return async token => {
    if (token === undefined) return undefined
    const { payload } = await jwtVerify(token, keys, {
      issuer: origin,
      audience,
      typ: 'postern-identity+jwt',
      algorithms: ['EdDSA'],
    })
    const { email, email_verified: isVerified, name } = payload
    if (typeof email !== 'string' || isVerified !== true) return undefined
    const called = typeof name === 'string' && name !== '' ? name : email
    const row =
      (await people.byEmail(email)) ??
      (await people.add({ name: called, email, password: '' })) ??
      (await people.byEmail(email))
    return row === undefined
      ? undefined
      : { id: Number(row['id']), name: String(row['name']), role: String(row['role']) }
  }
}
