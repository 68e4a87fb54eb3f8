import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CidrSet, Engine } from '@postern/core'
import { exchangeBytes, start, startBackend } from '../harness.ts'

const CLAIMS: readonly string[] = [
  'CF-Connecting-IP',
  'True-Client-IP',
  'X-Client-IP',
  'Fastly-Client-IP',
  'Fly-Client-IP',
  'X-Remote-User',
  'Remote-User',
  'X-WebAuth-User',
  'X-SSL-Client-Verify',
  'X-SSL-Client-S-DN',
  'X-Auth-Request-User',
  'X-Amzn-Oidc-Identity',
  'Tailscale-User-Login',
  'Cf-Access-Authenticated-User-Email',
  'X-MS-Client-Principal-Name',
  'X-Original-Host',
  'X-Host',
  'X-Script-Name',
  'Remote-Groups',
  'Remote-Email',
  'X-WebAuth-Role',
  'X-Pomerium-Claim-Email',
  'X-MS-Token-AAD-Access-Token',
  'X-Amzn-Mtls-Clientcert-Subject',
  'Client-Cert',
  'X-Client-Verify',
  'X-SSL-Cert',
  'X-Appengine-Cron',
  'X-CloudTasks-QueueName',
  'CloudFront-Viewer-Address',
  'X-Vercel-Forwarded-For',
  'X-Envoy-Internal',
  'Front-End-Https',
  'Forwarded-For',
  'X-Apigateway-Api-Userinfo',
  'X-Credential-Identifier',
  'OIDC-Claim-Sub',
  'Shib-Identity-Provider',
  'IV-User',
  'SM-User',
  'X-Sendfile-Type',
  'X-Accel-Mapping',
  'Script-Name',
  'Path-Info',
  'SCRIPT_NAME',
  'PATH_INFO',
  'REMOTE_USER',
  'X_Custom',
  'wsgi.url_scheme'.replace('.', '_'),
]
const ALWAYS_DROPPED = [
  'X_Forwarded_For',
  'X_Postern_Identity',
  'Transfer_Encoding',
  'Content_Length',
  'X-Original-URL',
]

async function arriving(
  t: import('node:test').TestContext,
  options: { readonly trusted: readonly string[]; readonly keepHeaders?: readonly string[] },
): Promise<readonly string[]> {
  const backend = await startBackend(t, (_request, response) => response.end('ok'))
  const engine = new Engine({ trustedProxies: CidrSet.parse(options.trusted) })
  const { port } = await start(t, backend.url, {
    engine,
    ...(options.keepHeaders !== undefined && { keepHeaders: options.keepHeaders }),
  })
  const lines = [...CLAIMS, ...ALWAYS_DROPPED, 'X-Own'].map(name => `${name}: claimed\r\n`).join('')
  await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`)
  const raw = backend.seen[0]?.rawHeaders ?? []
  return raw.filter((_, i) => i % 2 === 0 && raw[i + 1] === 'claimed')
}

describe('a header that says who or where the client is', () => {
  test('is not passed on from anybody; the application’s own headers are', async t => {
    assert.deepEqual(await arriving(t, { trusted: [] }), ['X-Own'])
  })

  test('is passed on from a trusted proxy, but never one that speaks for the gateway or frames the message', async t => {
    assert.deepEqual(await arriving(t, { trusted: ['loopback'] }), [...CLAIMS, 'X-Own'])
  })

  test('is passed on from anybody when the configuration keeps it, in any case', async t => {
    const kept = await arriving(t, { trusted: [], keepHeaders: ['x_custom', 'X-Client-IP'] })
    assert.deepEqual(kept, ['X-Client-IP', 'X_Custom', 'X-Own'])
  })

  test('cannot be made a name of this kind by case', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('ok'))
    const { port } = await start(t, backend.url)
    const names = ['script_name', 'Script_Name', 'ScRiPt-NaMe', 'cf-CONNECTING-ip']
    const lines = names.map(name => `${name}: claimed\r\n`).join('')
    await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`)
    assert.ok(!(backend.seen[0]?.rawHeaders ?? []).includes('claimed'))
  })
})
