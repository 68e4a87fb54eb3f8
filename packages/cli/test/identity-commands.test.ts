import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { cli } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-cli-identity-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'postern.config.json'),
  JSON.stringify({ identity: { origin: 'http://localhost:8080', keys: { prefix: 'shop' } } }),
)

describe('identity from the command line', () => {
  test('keys are made, listed, rotated and revoked, and what is done is in the log', async () => {
    const made = await cli(
      [
        'keys',
        'create',
        'billing',
        '--scope',
        'orders:read',
        '--expires',
        '90d',
        '--network',
        '192.0.2.0/24',
      ],
      folder,
    )
    assert.equal(made.code, 0, made.stderr)
    assert.match(
      (await cli(['keys', 'list'], folder)).stdout,
      / {2}live {6}service:billing {11}billing {2}scopes orders:read, from 192\.0\.2\.0\/24, made by user:\S+, until 20\d\d-\d\d-\d\d \d\d:\d\dZ, never used\n/,
    )
    assert.match(made.stderr, /A key of the service billing\. Store it now/)
    assert.match(made.stdout, /^shop_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\n$/)
    const id = made.stdout.split('_')[2] ?? ''
    const listed = await cli(['keys', 'list', '--json'], folder)
    const key = JSON.parse(listed.stdout)
    assert.deepEqual(
      [key.id, key.owner, key.scopes],
      [id, { kind: 'service', id: 'billing' }, ['orders:read']],
    )
    assert.ok(!listed.stdout.includes(made.stdout.split('_')[3] ?? 'none'))
    const rotated = await cli(['keys', 'rotate', id, '--overlap', '1h'], folder)
    assert.equal(rotated.code, 0, rotated.stderr)
    assert.match((await cli(['keys', 'list'], folder)).stdout, new RegExp(`${id}  live .*, replaced by `))
    assert.equal((await cli(['keys', 'revoke', id], folder)).code, 0)
    assert.equal((await cli(['keys', 'revoke', id], folder)).code, 1)
    const log = await cli(['audit', 'search', '--json'], folder)
    if (log.code === 0) assert.ok(!log.stdout.includes(made.stdout.trim()))
  })

  test('a key that has expired is not listed as live', async () => {
    const made = await cli(['keys', 'create', 'brief', '--expires', '1s', '--as', 'olga'], folder)
    assert.equal(made.code, 0, made.stderr)
    await new Promise(resolve => setTimeout(resolve, 1_000))
    assert.match(
      (await cli(['keys', 'list'], folder)).stdout,
      / {2}expired {3}service:brief .*no scopes, from anywhere, made by user:olga/,
    )
  })

  test('accounts are imported, listed, disabled and deleted; sessions are listed and revoked', async () => {
    writeFileSync(
      join(folder, 'users.csv'),
      'email,name,email_verified\nalice@shop.example,Alice,true\nnot one,,\n',
    )
    const imported = await cli(['users', 'import', 'users.csv'], folder)
    assert.equal(imported.code, 1)
    assert.match(
      imported.stdout,
      /1 created, 0 existed already, 1 left out\n {2}line 3: the e-mail address is invalid/,
    )
    const account = JSON.parse((await cli(['users', 'list', '--json'], folder)).stdout)
    assert.equal(account.email, 'alice@shop.example')
    assert.equal((await cli(['users', 'disable', account.id], folder)).code, 0)
    assert.equal((await cli(['users', 'disable', account.id], folder)).code, 1)
    assert.equal((await cli(['users', 'disable', account.id, '--undo'], folder)).code, 0)
    assert.equal((await cli(['users', 'disable', account.id], folder)).code, 0)
    const enabled = await cli(['users', 'enable', account.email, '--reason', 'ticket 7'], folder)
    assert.deepEqual([enabled.code, enabled.stdout], [0, 'alice@shop.example is active\n'])
    assert.equal((await cli(['users', 'enable', account.id], folder)).code, 1)
    assert.equal((await cli(['users', 'roles', 'Alice@shop.example', 'support', 'admin'], folder)).code, 0)
    assert.equal((await cli(['users', 'roles', account.id, 'admin', 'support'], folder)).code, 1)
    assert.match((await cli(['users', 'list'], folder)).stdout, /alice@shop\.example {2}admin support\n/)
    for (const nobody of [
      ['roles', 'bob@shop.example', 'admin'],
      ['disable', 'nobody'],
      ['enable', 'nobody'],
      ['delete', 'bob@shop.example'],
    ]) {
      const { code, stdout, stderr } = await cli(['users', ...nobody], folder)
      assert.equal(code, 1)
      assert.match(stdout, /^there is no account (?:bob@shop\.example|nobody)\n$/)
      assert.match(stderr, /postern users list/)
    }
    const refused = await cli(['users', 'roles', account.id, 'tenant:owner'], folder)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /hint: for example support/)
    assert.equal((await cli(['users', 'roles', account.id], folder)).code, 0)
    assert.equal((await cli(['sessions', 'list'], folder)).code, 0)
    assert.equal((await cli(['sessions', 'revoke', account.id], folder)).code, 1)
    assert.equal((await cli(['users', 'delete', account.id], folder)).code, 0)
    assert.equal((await cli(['users', 'delete', account.id], folder)).code, 1)
  })

  test('without `identity` in the configuration, each says what to write there', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'postern-cli-identity-'))
    try {
      const { code, stderr } = await cli(['users', 'list'], empty)
      assert.equal(code, 2)
      assert.match(stderr, /error: identity: is not configured\n {2}hint: for example identity: \{ origin/)
      assert.match(stderr, /no postern\.config\.\* in this folder, .* does not see postern\(\{ config \}\)/)
      writeFileSync(join(empty, 'postern.config.yaml'), 'mode: observe\n')
      assert.doesNotMatch((await cli(['users', 'list'], empty)).stderr, /does not see/)
    } finally {
      rmSync(empty, { recursive: true, force: true })
    }
  })
})
