import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { auth0, clerk, cognito, entra, keycloak } from '../src/index.ts'
import type { PresetEnvironment } from '../src/verify/presets.ts'
import type { JwtMethodOptions } from '../src/verify-entry.ts'
import { RECORDED, type RecordedProvider } from './recorded-metadata.ts'

/** The preset of a provider as its operator writes it, and the network that answers with a record. */
const PRESETS: Readonly<
  Record<keyof typeof RECORDED, (recorded: RecordedProvider, network: PresetEnvironment) => JwtMethodOptions>
> = {
  auth0: ({ issuer }, network) => auth0(new URL(issuer).host, 'https://api.shop.example', network),
  clerk: ({ issuer }, network) => clerk(new URL(issuer).host, ['https://shop.example'], network),
  keycloak: ({ issuer }, network) => keycloak(issuer, 'orders', network),
  entra: (_, network) => entra('9a95fd9e-005d-487a-9a01-d08c1eab2757', 'app', network),
  cognito: (_, network) => cognito('us-east-1', 'us-east-1_GUFWfhI7g', 'client', network),
}

/** The Keycloak of the record was reached by plain HTTP inside a container network, which is refused. */
const overTls = (recorded: RecordedProvider): RecordedProvider => ({
  ...recorded,
  issuer: recorded.issuer.replace(/^http:/, 'https:'),
  jwks: recorded.jwks.replace(/^http:/, 'https:'),
})

describe('presets against what providers published', () => {
  for (const name of ['auth0', 'clerk', 'keycloak', 'entra', 'cognito'] as const)
    test(`${name}: issuer and address of the keys are those of its discovery document, its keys are understood`, async () => {
      const recorded = overTls(RECORDED[name])
      const asked: string[] = []
      const method = PRESETS[name](recorded, {
        fetch: async url => {
          asked.push(url)
          return Response.json({ keys: recorded.keys })
        },
      })
      assert.equal(method.issuer, recorded.issuer)
      for (const { kid = '', use } of recorded.keys) {
        const key = await method.keys.find(kid, 'RS256')
        assert.equal(key?.algorithm, recorded.signing.includes(kid) ? 'RS256' : undefined, `${use} ${kid}`)
        assert.equal(await method.keys.find(kid, 'PS256'), undefined)
        assert.equal(await method.keys.find(kid, 'HS256'), undefined)
      }
      assert.deepEqual(asked, [recorded.jwks])
    })

  test('keys are not fetched over plain HTTP', () => {
    assert.throws(() => PRESETS.keycloak(RECORDED.keycloak, {}), { code: 'POSTERN_CONFIG' })
  })
})
