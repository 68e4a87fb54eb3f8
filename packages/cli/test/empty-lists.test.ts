import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { cli } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-cli-empty-'))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, '.postern'))
writeFileSync(
  join(folder, 'postern.config.json'),
  JSON.stringify({ identity: { origin: 'http://localhost:8080' } }),
)

/** Every list that the data directory alone answers. */
const LISTS: readonly (readonly [command: string, says: RegExp])[] = [
  ['bouncers list', /no bouncer has a key/],
  ['keys list', /there are no API keys/],
  ['users list', /nobody has an account/],
  ['sessions list', /nobody is signed in/],
  ['approvals list', /no request is pending/],
  ['limits list', /no key has a rule of its own/],
]

for (const [command, says] of LISTS)
  test(`${command}: an empty list is said in words, and is nothing in JSON`, async () => {
    const said = await cli(command.split(' '), folder)
    assert.equal(said.code, 0, said.stderr)
    assert.match(said.stdout, says)
    assert.doesNotMatch((await cli([...command.split(' '), '--json'], folder)).stdout, says)
  })

test('sessions of one account are listed by its e-mail address, as they are revoked', async () => {
  writeFileSync(join(folder, 'users.csv'), 'email,name,email_verified\nann@shop.example,Ann,true\n')
  assert.equal((await cli(['users', 'import', 'users.csv'], folder)).code, 0)
  const known = await cli(['sessions', 'list', '--user', 'Ann@shop.example'], folder)
  assert.deepEqual([known.code, known.stdout], [0, 'Ann@shop.example is not signed in\n'])
  const unknown = await cli(['sessions', 'list', '--user', 'bob@shop.example'], folder)
  assert.deepEqual([unknown.code, unknown.stdout], [1, 'there is no account bob@shop.example\n'])
})
