import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { conformance } from '../../../test/conformance.ts'
import { parseAssertion, parseRegistration } from '../src/passkey/passkey-answer.ts'

const { path: file, skip } = conformance('webauthn/test-vectors-section.txt')

/**
 * One example of the specification: named byte strings of a registration and of the authentication after it.
 */
interface Example {
  readonly name: string
  readonly registration: ReadonlyMap<string, Buffer>
  readonly authentication: ReadonlyMap<string, Buffer>
}

function parseExamples(text: string): readonly Example[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map(section => {
      const blocks = [...section.matchAll(/<xmp class="example" highlight="cddl">([\s\S]*?)<\/xmp>/g)].map(
        ([, block = '']) =>
          new Map(
            [...block.matchAll(/^(\w+) = h'([0-9a-f]*)'/gm)].map(([, name = '', hex = '']) => [
              name,
              Buffer.from(hex, 'hex'),
            ]),
          ),
      )
      const [registration = new Map(), authentication = new Map()] = blocks
      return { name: section.slice(0, section.indexOf(' ##')), registration, authentication }
    })
    .filter(({ registration }) => registration.has('attestationObject'))
}

describe('WebAuthn Level 3, the test vectors of the specification', () => {
  const examples = skip === false ? parseExamples(readFileSync(file, 'utf8')) : []
  test('are read', { skip }, () => assert.ok(examples.length >= 15, `${examples.length} examples`))

  for (const { name, registration, authentication } of examples) {
    const value = (map: ReadonlyMap<string, Buffer>, key: string): string =>
      map.get(key)?.toString('base64url') ?? ''
    const algorithms = [-8, -7, -257]
    test(`${name}: registration and authentication`, async t => {
      const response = parseRegistration({
        id: value(registration, 'credential_id'),
        response: {
          clientDataJSON: value(registration, 'clientDataJSON'),
          attestationObject: value(registration, 'attestationObject'),
        },
      })
      assert.ok(response)
      const said = await verifyRegistrationResponse({
        response,
        expectedChallenge: value(registration, 'challenge'),
        expectedOrigin: 'https://example.org',
        expectedRPID: 'example.org',
        requireUserVerification: false,
        supportedAlgorithmIDs: algorithms,
      }).catch((error: unknown) => (error instanceof Error ? error.message : 'refused'))
      if (typeof said === 'string' || !said.verified) {
        t.diagnostic(`refused: ${typeof said === 'string' ? said : 'not verified'}`)
        assert.ok(isExpectedRefusal(name), `${name}: ${typeof said === 'string' ? said : 'not verified'}`)
        return
      }
      assert.ok(!isExpectedRefusal(name), `${name} was to be refused`)
      const assertion = parseAssertion({
        id: value(registration, 'credential_id'),
        response: {
          clientDataJSON: value(authentication, 'clientDataJSON'),
          authenticatorData: value(authentication, 'authenticatorData'),
          signature: value(authentication, 'signature'),
        },
      })
      assert.ok(assertion)
      const verify = (challenge: string) =>
        verifyAuthenticationResponse({
          response: assertion,
          expectedChallenge: challenge,
          expectedOrigin: 'https://example.org',
          expectedRPID: 'example.org',
          expectedTopOrigin: 'https://example.com',
          requireUserVerification: false,
          credential: said.registrationInfo.credential,
        })
      assert.equal((await verify(value(authentication, 'challenge'))).verified, true)
      await assert.rejects(verify(value(registration, 'challenge')))
    })
  }
})

/**
 * Why an example of the specification is refused. Browsers send none of these: registration asks
 * for three algorithms and no attestation.
 */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/ES384|ES512|Ed448/, 'the algorithm is not offered'],
  [/^TPM/, "the example's manufacturer is not in the registry of the Trusted Computing Group"],
  [/^Android Key/, "the example's root is not one of Google's"],
  [/^Apple/, "the example's root is not Apple's"],
  [/^FIDO U2F/, 'the library takes this format with an AAGUID of zeros only'],
]

function isExpectedRefusal(name: string): boolean {
  return REFUSED.some(([pattern]) => pattern.test(name))
}
