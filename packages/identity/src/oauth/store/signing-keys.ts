import { createPublicKey, generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock, RandomSource } from '@postern/core'
import type { IdentityDatabase } from '../../database/identity-database.ts'
import { freshId, type IdentitySecret } from '../../database/identity-secret.ts'

const generate = promisify(generateKeyPair)

const SQL: Readonly<Record<'insert' | 'list', string>> = {
  insert: 'INSERT INTO signing_key (kid, purpose, sealed, public, created_at) VALUES ($1, $2, $3, $4, $5)',
  list: 'SELECT kid, sealed FROM signing_key WHERE purpose = $1 ORDER BY created_at DESC, kid LIMIT 10',
}
const PURPOSE = 'oauth'

/**
 * The private keys that ID tokens are signed with, as JWKs: RS256, which every client knows, and
 * ES256. Made on first use; stored sealed.
 */
export async function oauthSigningKeys(parts: {
  readonly database: IdentityDatabase
  readonly secret: IdentitySecret
  readonly clock: Clock
  readonly random: RandomSource
}): Promise<readonly JsonWebKey[]> {
  const { database, secret } = parts
  const rows = await database.rows<{ kid: string; sealed: string }>(SQL.list, [PURPOSE])
  if (rows.length > 0)
    return rows.map(({ kid, sealed }): JsonWebKey => JSON.parse(secret.open(`signing-key:${kid}`, sealed)))
  const made: readonly (readonly [KeyObject, string])[] = [
    [(await generate('rsa', { modulusLength: 2_048 })).privateKey, 'RS256'],
    [(await generate('ec', { namedCurve: 'P-256' })).privateKey, 'ES256'],
  ]
  const keys = made.map(([key, alg]) => ({
    key,
    jwk: { ...key.export({ format: 'jwk' }), alg, use: 'sig', kid: freshId(parts.random) },
  }))
  await database.batch(
    keys.map(({ key, jwk }) => ({
      text: SQL.insert,
      values: [
        jwk.kid,
        PURPOSE,
        secret.seal(`signing-key:${jwk.kid}`, JSON.stringify(jwk)),
        JSON.stringify({
          ...createPublicKey(key).export({ format: 'jwk' }),
          kid: jwk.kid,
          alg: jwk.alg,
          use: 'sig',
        }),
        parts.clock.now(),
      ],
      expect: 1,
    })),
  )
  return keys.map(({ jwk }) => jwk)
}
