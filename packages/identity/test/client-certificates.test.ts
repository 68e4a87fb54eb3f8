import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CidrSet } from '@postern/core'
import {
  certificateMethod,
  type IdentifyMethod,
  introspectionMethod,
  jwtMethod,
  proxyMethod,
} from '../src/index.ts'
import { localKeySet } from '../src/verify-entry.ts'
import { testCertificate } from './test-certificate.ts'
import { clock, type ExchangeOptions, exchangeOf, signer, token } from './verify-harness.ts'

const job = testCertificate('job.internal')
const other = testCertificate('other.internal')
const native = ({ certificate }: typeof job, authorized = true) => ({
  socket: { authorized, getPeerX509Certificate: () => certificate },
})
const trustedProxies = CidrSet.parse(['10.0.0.1'])
const source = { header: 'X-Client-Cert', trustedProxies }
const ask = async (method: IdentifyMethod, options: ExchangeOptions): Promise<string> => {
  const said = await method.identify(exchangeOf(options))
  return said.kind === 'known' ? said.principal.id : said.kind
}
/** A request of the trusted proxy, with these values of its header. */
const passed = (...values: readonly string[]): ExchangeOptions => ({
  peer: '10.0.0.1',
  headers: values.flatMap(value => ['x-client-cert', value]),
})

describe('client certificates', () => {
  test('identify a service when TLS verified them, and nobody when it did not', async () => {
    const method = certificateMethod()
    assert.deepEqual(await method.identify(exchangeOf({ native: native(job) })), {
      kind: 'known',
      principal: { kind: 'service', id: 'job.internal' },
    })
    assert.equal(await ask(method, { native: native(job, false) }), 'absent')
  })

  test('come in a header from a trusted proxy only, in the spellings of proxies', async () => {
    const method = certificateMethod(source)
    const spaced = job.pem.trim().replaceAll('\n', ' ')
    for (const value of [job.escaped, spaced, job.bytes, job.bytes.slice(1, -1)]) {
      assert.equal(await ask(method, passed(value)), 'job.internal', value)
      assert.equal(await ask(method, { ...passed(value), peer: '10.0.0.2' }), 'absent', value)
    }
  })

  test('attack: one of my choice beside that of the proxy counts as none, however a server joins them', async () => {
    const method = certificateMethod(source)
    const [chosen, real] = [job.escaped, other.escaped]
    const spaced = [job.pem, other.pem].map(pem => pem.trim().replaceAll('\n', ' '))
    assert.equal(await ask(method, passed(chosen, real)), 'absent')
    for (const value of [
      `${chosen}, ${real}`,
      `${chosen},${real}`,
      `${chosen}${real}`,
      `${chosen} ${real}`,
      `${chosen};${real}`,
      spaced.join(', '),
      spaced.join(''),
      `${job.bytes}, ${other.bytes}`,
      `${job.bytes}${other.bytes}`,
      `:${Buffer.concat([job.certificate.raw, other.certificate.raw]).toString('base64')}:`,
      `:${Buffer.concat([job.certificate.raw, Buffer.from('x')]).toString('base64')}:`,
      '',
      'garbage',
      '%',
      ':',
    ])
      assert.equal(await ask(method, passed(value)), 'absent', value)
  })

  test('attack: the certificate by which a trusted proxy signs in to us is not that of its clients', async () => {
    const method = certificateMethod(source)
    const proxy = native(other)
    assert.equal(await ask(method, { ...passed(), native: proxy }), 'absent')
    assert.equal(await ask(method, { ...passed(''), native: proxy }), 'absent')
    assert.equal(await ask(method, { ...passed(job.escaped), native: proxy }), 'job.internal')
    // Somebody who connects directly brings a certificate of their own, and no header.
    assert.equal(
      await ask(method, { ...passed(job.escaped), peer: '10.0.0.2', native: proxy }),
      'other.internal',
    )
  })

  test('attack: groups that I send beside those of the proxy make nobody of me', async () => {
    const method = proxyMethod({ from: trustedProxies, user: 'x-user', groups: 'x-groups' })
    const headers = ['x-user', 'mallory', 'x-groups', 'admins']
    assert.equal(await ask(method, { peer: '10.0.0.1', headers }), 'mallory')
    assert.equal(
      await ask(method, { peer: '10.0.0.1', headers: [...headers, 'x-groups', 'staff'] }),
      'refused',
    )
  })
})

describe('tokens bound to a certificate (RFC 8705)', () => {
  const issuer = signer('k1')
  const bound = (cnf: unknown): string =>
    token(issuer, {
      iss: 'https://id.example',
      aud: 'shop',
      sub: 'alice',
      exp: Math.floor(clock.now() / 1_000) + 60,
      cnf,
    })
  const methods = (certificate: typeof source | undefined, cnf: unknown) => ({
    jwt: jwtMethod({
      issuer: 'https://id.example',
      audience: 'shop',
      keys: localKeySet({ keys: [issuer.jwk] }),
      clock,
      ...(certificate !== undefined && { certificate }),
    }),
    introspection: introspectionMethod({
      url: 'https://id.example/introspect',
      clientId: 'shop',
      clientSecret: 'secret',
      audience: 'shop',
      clock,
      fetch: async () => Response.json({ active: true, sub: 'alice', aud: 'shop', cnf }),
      ...(certificate !== undefined && { certificate }),
    }),
  })
  const cnf = { 'x5t#S256': job.thumbprint }

  for (const kind of ['jwt', 'introspection'] as const) {
    const askBound = (request: ExchangeOptions, certificate?: typeof source, by: unknown = cnf) =>
      ask(methods(certificate, by)[kind], {
        ...request,
        headers: ['authorization', `Bearer ${bound(by)}`, ...(request.headers ?? [])],
      })

    test(`${kind}: hold with that certificate of the connection only`, async () => {
      assert.equal(await askBound({ native: native(job) }), 'alice')
      assert.equal(await askBound({ native: native(job, false) }), 'refused')
      assert.equal(await askBound({ native: native(other) }), 'refused')
      assert.equal(await askBound({}), 'refused')
    })

    test(`${kind}: hold behind a proxy, with the certificate that it passes on`, async () => {
      assert.equal(await askBound(passed(job.escaped), source), 'alice')
      assert.equal(await askBound(passed(other.escaped), source), 'refused')
      assert.equal(await askBound(passed(), source), 'refused')
      assert.equal(await askBound(passed(job.escaped)), 'refused')
    })

    test(`${kind}: attack: a stolen token with the public certificate of its owner in a header of mine`, async () => {
      const header = ['x-client-cert', job.escaped]
      assert.equal(await askBound({ peer: '192.0.2.1', headers: header }, source), 'refused')
      assert.equal(
        await askBound({ peer: '192.0.2.1', headers: header, native: native(other) }, source),
        'refused',
      )
      assert.equal(await askBound(passed(job.escaped, other.escaped), source), 'refused')
      assert.equal(await askBound(passed(`${job.escaped}, ${other.escaped}`), source), 'refused')
      // The proxy's own certificate, to which a token for calls of the proxy may be bound.
      assert.equal(await askBound({ ...passed(), native: native(job) }, source), 'refused')
      const exchange = exchangeOf({ peer: '192.0.2.1', headers: header })
      methods(source, cnf)[kind].screen?.(exchange)
      assert.deepEqual([...(exchange.requestChanges ?? [])], [['x-client-cert', undefined]])
    })

    test(`${kind}: a binding that is not understood is refused, with the certificate too`, async () => {
      for (const by of [
        { ...cnf, jkt: 'x' },
        { ...cnf, new: 1 },
        { 'x5t#S256': 7 },
        { x5t: job.thumbprint },
        {},
        null,
      ])
        assert.equal(await askBound(passed(job.escaped), source, by), 'refused', JSON.stringify(by))
    })
  }
})
