import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../src/command/output.ts'
import { wholeList } from '../src/command/whole-list.ts'
import { cli } from './cli.ts'

test('attack: a thousand sign-ups push an account with a role out of the list of accounts', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-cli-list-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(
    join(folder, 'postern.config.json'),
    JSON.stringify({ identity: { origin: 'http://localhost:8080' } }),
  )
  const sign = async (emails: readonly string[]): Promise<void> => {
    writeFileSync(join(folder, 'users.csv'), `email\n${emails.join('\n')}\n`)
    assert.equal((await cli(['users', 'import', 'users.csv'], folder)).code, 0)
  }
  await sign(['eve@shop.example'])
  await cli(['users', 'roles', 'eve@shop.example', 'owner'], folder)
  await sign(Array.from({ length: 1_000 }, (_, i) => `user${i}@shop.example`))
  const { stdout } = await cli(['users', 'list'], folder)
  assert.match(stdout, /eve@shop\.example {2}owner\n/)
})

test('a list that is not whole says so', async () => {
  let said = ''
  const stderr = new Writable({
    write: (piece, _encoding, done) => {
      said += String(piece)
      done()
    },
  })
  const output = new Output({ stdout: stderr, stderr, json: false, quiet: false, environment: {} })
  assert.equal((await wholeList(output, async limit => new Array<number>(limit).fill(0))).length, 100_000)
  assert.equal(said, 'only the first 100000 are shown; there are more\n')
})
