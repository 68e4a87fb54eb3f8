import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { CidrSet, Engine, type Exchange, type RouteSettings, RouteTable, VirtualClock } from '@postern/core'

/** A key pair of an issuer. */
export interface Signer {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export function signer(kid: string, alg = 'ES256'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

/** base64url of JSON. */
export function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** An ES256 token. */
export function token(by: Signer, claims: object, header: object = {}): string {
  const signed = `${part({ alg: 'ES256', typ: 'JWT', kid: by.kid, ...header })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: by.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** A proof of possession for a request. */
export function dpopProof(by: Signer, claims: object, header: object = {}): string {
  const { kid: _, alg: __, use: ___, ...jwk } = by.jwk
  const signed = `${part({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: by.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

export function athOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export interface ExchangeOptions {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly peer?: string
  readonly routes?: Readonly<Record<string, RouteSettings>>
  readonly native?: unknown
  readonly trusted?: readonly string[]
}

export const clock: VirtualClock = new VirtualClock()

/** An exchange of a request, over HTTPS to shop.example. */
export function exchangeOf(options: ExchangeOptions = {}): Exchange {
  const engine = new Engine({
    clock,
    routes: new RouteTable(options.routes ?? {}),
    trustedProxies: CidrSet.parse(options.trusted ?? []),
  })
  return engine.open({
    method: options.method ?? 'GET',
    target: options.target ?? '/api/orders?x=1',
    headers: ['host', 'shop.example', ...(options.headers ?? [])],
    peer: options.peer ?? '192.0.2.1',
    secure: true,
    httpVersion: '1.1',
    native: options.native,
    body: undefined,
  })
}
