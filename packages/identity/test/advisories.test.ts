import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CompactEncrypt } from 'jose'
import { parseEmail } from '../src/account/email.ts'
import { status } from '../src/login-entry.ts'
import { openCompactJwe } from '../src/verify/compact-jwe.ts'
import { addressOf, LoginWorld } from './login-harness.ts'

const ROOT = new URL('../../../', import.meta.url)

describe('advisories of others', () => {
  test('every row of docs/advisories.md names a test that exists', () => {
    const page = readFileSync(new URL('docs/advisories.md', ROOT), 'utf8')
    const rows = [
      ...page.matchAll(/^\| \[((?:CVE|GHSA)-[\w-]+)\]\((https:[^)]+)\) \| .* \| `([^`]+)`: (.+) \|$/gm),
    ]
    assert.ok(rows.length >= 25, `${rows.length} rows`)
    assert.equal(new Set(rows.map(([, id]) => id)).size, rows.length)
    for (const [, id, , file = '', name = ''] of rows) {
      const path = fileURLToPath(new URL(file, ROOT))
      assert.ok(existsSync(path), `${id}: ${file} does not exist`)
      const text = readFileSync(path, 'utf8').replaceAll("\\'", "'")
      assert.ok(text.includes(name), `${id}: no test of ${file} is named "${name}"`)
    }
  })

  test('a list of addresses is not an address, however it is separated', () => {
    const victim = 'victim@shop.example'
    for (const text of [
      `attacker@evil.example,${victim}`,
      `attacker@evil.example;${victim}`,
      `attacker@evil.example ${victim}`,
      `attacker@evil.example\n${victim}`,
      `attacker@evil.example%2c${victim}`,
      `"attacker@evil.example,"${victim}`,
      `<${victim}>`,
      `${victim}\r\nBcc: attacker@evil.example`,
      `attacker@evil.example，${victim}`,
    ])
      assert.equal(parseEmail(text), undefined, text)
  })

  test('an encrypted token that asks for much work, or is compressed, is refused unopened', async () => {
    const key = new Uint8Array(32).fill(3)
    const jwk = { ...createSecretKey(key).export({ format: 'jwk' }), alg: 'A256GCM' }
    const pinned = { jwk, algorithm: 'dir', encryption: 'A256GCM' }
    const good = await new CompactEncrypt(Buffer.from('{}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(key)
    assert.equal(Buffer.from(await openCompactJwe(good, pinned)).toString(), '{}')
    const withHeader = (header: object): string =>
      good.replace(/^[^.]+/, Buffer.from(JSON.stringify(header)).toString('base64url'))
    for (const header of [
      { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'AAAAAAAAAAA' },
      { alg: 'dir', enc: 'A256GCM', zip: 'DEF' },
    ])
      await assert.rejects(openCompactJwe(withHeader(header), pinned), { code: 'POSTERN_CREDENTIAL' })
    const password = { ...pinned, algorithm: 'PBES2-HS256+A128KW' }
    const heavy = { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 2_147_483_647, p2s: 'AAAAAAAAAAA' }
    await assert.rejects(openCompactJwe(withHeader(heavy), password), { code: 'POSTERN_CREDENTIAL' })
  })

  test('a login route spelled with more slashes, dots or escapes is the same route to its lanes', async () => {
    const shop = new LoginWorld(
      { 'POST /login': { login: { account: 'email', failed: status(401) } } },
      () => ({
        status: 401,
      }),
    )
    const spellings = ['/login', '//login', '///login', '/./login', '/x/../login', '/%6cogin', '/login?x=1']
    let handled = 0
    for (let i = 0; i < 70; i++) {
      const path = spellings[i % spellings.length] as string
      const body = JSON.stringify({ email: 'alice@shop.example', password: `guess ${i}` })
      if ((await shop.send({ path, body, address: addressOf(i) })).handled) handled++
    }
    assert.equal(handled, 10)
  })
})
