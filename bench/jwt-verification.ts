// Verifying signed tokens: us, jose, and bare node:crypto, on the same tokens and keys.
import {
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { jwtVerifier, localKeySet } from '@postern/identity/verify'
import { jwtVerify } from 'jose'
import { type Candidate, interleave, isQuick, median, printTimings, report } from './support/harness.ts'

const ISSUER = 'https://id.example'
const COUNT = 300
/** Times that all tokens are verified in a round: processor time is counted in steps. */
const REPEATS: Readonly<Record<string, number>> = { HS256: 20, RS256: 3, ES256: 1, EdDSA: 1 }
const ROUNDS = isQuick ? 15 : 40
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'
type Verify = (token: string) => unknown

interface Setup {
  readonly tokens: readonly string[]
  readonly ours: Verify
  readonly cached: Verify
  readonly jose: Verify
  readonly bare: Verify
}

/** Tokens that are all different, so that nobody's cache helps, and the ways to verify them. */
function setUp(algorithm: Algorithm): Setup {
  const secret = Buffer.alloc(32, 5)
  const pair =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
  const jwk =
    algorithm === 'HS256'
      ? { kty: 'oct', k: secret.toString('base64url'), alg: 'HS256', kid: 'k' }
      : { ...pair.publicKey.export({ format: 'jwk' }), alg: algorithm, kid: 'k' }
  const now = Math.floor(Date.now() / 1_000)
  const tokens = Array.from({ length: COUNT }, (_, i) => {
    const claims = {
      iss: ISSUER,
      aud: 'shop',
      sub: `user-${i}`,
      exp: now + 3_600,
      iat: now,
      scope: 'orders:read orders:write',
      roles: ['customer'],
    }
    const signed = `${part({ alg: algorithm, typ: 'JWT', kid: 'k' })}.${part(claims)}`
    const data = Buffer.from(signed)
    const signature =
      algorithm === 'HS256'
        ? createHmac('sha256', secret).update(data).digest()
        : sign(algorithm === 'EdDSA' ? null : 'sha256', data, {
            key: pair.privateKey,
            dsaEncoding: 'ieee-p1363',
          })
    return `${signed}.${signature.toString('base64url')}`
  })
  const options = { issuer: ISSUER, audience: 'shop', keys: localKeySet({ keys: [jwk] }, [algorithm]) }
  const ours = jwtVerifier({ ...options, cache: 0 })
  const cached = jwtVerifier(options)
  const key =
    algorithm === 'HS256'
      ? createSecretKey(secret)
      : createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }))
  const nodeKey = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
  const bare: Verify = token => {
    const dot = token.lastIndexOf('.')
    const data = Buffer.from(token.slice(0, dot))
    const signature = Buffer.from(token.slice(dot + 1), 'base64url')
    const holds =
      algorithm === 'HS256'
        ? timingSafeEqual(createHmac('sha256', key).update(data).digest(), signature)
        : verify(algorithm === 'EdDSA' ? null : 'sha256', data, nodeKey, signature)
    if (!holds) throw new Error('does not hold')
    return JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, dot), 'base64url').toString())
  }
  return {
    tokens,
    ours: token => ours.verify(token),
    cached: token => cached.verify(token),
    jose: token => jwtVerify(token, key, { issuer: ISSUER, audience: 'shop', algorithms: [algorithm] }),
    bare,
  }
}

const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}
for (const algorithm of ['HS256', 'RS256', 'ES256', 'EdDSA'] as const) {
  const setup = setUp(algorithm)
  const repeats = REPEATS[algorithm] ?? 1
  const candidate = (name: string, check: Verify): Candidate => ({
    name,
    operations: COUNT * repeats,
    run: async () => {
      for (let i = 0; i < repeats; i++)
        for (const token of setup.tokens) {
          const said = check(token)
          if (said instanceof Promise) await said
        }
    },
  })
  const timings = await interleave(
    [
      candidate('postern', setup.ours),
      candidate('jose', setup.jose),
      candidate('node:crypto', setup.bare),
      candidate('postern, remembered', setup.cached),
    ],
    ROUNDS,
  )
  printTimings(algorithm, timings)
  const ratio = (name: string, by: 'lowerQuartile' | 'cpu'): number => {
    const of = (one: string): number => timings.find(timing => timing.name === one)?.[by] ?? Number.NaN
    return of('postern') / of(name)
  }
  ratios[`${algorithm}_to_node_crypto`] = ratio('node:crypto', 'lowerQuartile')
  ratios[`${algorithm}_to_jose`] = ratio('jose', 'lowerQuartile')
  ratios[`${algorithm}_cpu_to_node_crypto`] = ratio('node:crypto', 'cpu')
  ratios[`${algorithm}_cpu_to_jose`] = ratio('jose', 'cpu')
  for (const { name, lowerQuartile, cpu } of timings) {
    figures[`${algorithm}_${name}_us`] = Number((lowerQuartile / 1_000).toFixed(2))
    figures[`${algorithm}_${name}_cpu_us`] = Number((cpu / 1_000).toFixed(2))
  }
}
figures['worst_to_node_crypto'] = Number(
  Math.max(
    ...Object.entries(ratios)
      .filter(([name]) => name.endsWith('256_to_node_crypto') || name.endsWith('SA_to_node_crypto'))
      .map(([, value]) => value),
  ).toFixed(3),
)
figures['median_to_jose'] = Number(
  median(
    Object.entries(ratios)
      .filter(([name]) => name.endsWith('jose') && !name.includes('cpu'))
      .map(([, value]) => value),
  ).toFixed(3),
)
report({
  bench: 'jwt-verification',
  ratios,
  figures,
  unequal: [
    'node:crypto is asked for the signature and the claims are parsed; it checks no header, spelling, issuer, audience or time',
    'jose verifies by WebCrypto, which takes a promise and a thread; ours by node:crypto in place',
    'cpu is the processor time of all threads, so it counts the thread that WebCrypto uses',
    '"remembered" is a token that was verified before: the cache finds it by the whole token, and checks its time',
    'the lower quartile of the rounds is compared: the machine is shared',
  ],
})
