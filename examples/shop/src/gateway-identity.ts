import { createRemoteJWKSet, jwtVerify } from 'jose'
import { first, type ShopDatabase } from './database.ts'
import type { Visitor } from './pages/layout.ts'

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
export function gatewayIdentity(
  database: ShopDatabase,
  { origin, audience }: IdentityOptions,
): GatewayIdentity {
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
    await database.run(
      `INSERT INTO customer (name, email, password, role, phone, street, city, born, card)
       VALUES ($1, $2, '', 'customer', '', '', '', '', '') ON CONFLICT (email) DO NOTHING`,
      [typeof name === 'string' && name !== '' ? name : email, email],
    )
    const row = await first(database, 'SELECT id, name, role FROM customer WHERE email = $1', [email])
    return row === undefined
      ? undefined
      : { id: Number(row['id']), name: String(row['name']), role: String(row['role']) }
  }
}
