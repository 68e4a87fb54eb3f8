import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cliProcess } from './cli.ts'

/** What a test run is covered by is written where only root may. */
const UNCOVERED = { NODE_V8_COVERAGE: '' }
/** The account that the service runs as: any but root. */
const SERVICE = 65_534
const isRoot = process.getuid?.() === 0

describe('postern as root, in the data directory of another account', {
  skip: isRoot ? false : 'only root can give files away',
}, () => {
  let folder = ''
  let data = ''
  const config = (): string => join(folder, 'postern.config.yaml')
  const everything = (): readonly string[] =>
    readdirSync(data, { recursive: true, encoding: 'utf8' }).map(name => join(data, name))
  const give = (): void => {
    for (const path of [folder, config(), data, ...everything()]) chownSync(path, SERVICE, SERVICE)
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-owner-'))
    data = join(folder, '.postern')
    mkdirSync(data)
    writeFileSync(
      config(),
      'audit: { origin: shop.example/audit }\nidentity: { origin: http://localhost:8080 }\n',
    )
    chmodSync(config(), 0o600)
    assert.equal((await cliProcess(['ban', '192.0.2.1', '--for', '1h'], folder)).code, 0)
    give()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const args of [
    ['ban', '192.0.2.2', '--for', '1h'],
    ['keys', 'create', 'billing'],
    ['audit', 'erase', 'user:ann', '--yes'],
    ['audit', 'prune', '--keep', '1h'],
    ['audit', 'search'],
    ['parameters', 'types', 'set', '/orders', 'query.note', 'text'],
    ['limits', 'set', '192.0.2.9', '--limit', '5/1m'],
    ['bouncers', 'add', 'edge'],
    ['doctor'],
  ])
    test(`leaves nothing that the account cannot open: ${args.join(' ')}`, async () => {
      const { code, stderr } = await cliProcess(args, folder, UNCOVERED)
      assert.notEqual(code, 70, stderr)
      assert.doesNotMatch(stderr, /EACCES|EPERM|permission/)
      const foreign = everything().filter(path => statSync(path).uid !== SERVICE)
      assert.deepEqual(foreign, [])
      const { uid, mode } = statSync(config())
      assert.deepEqual([uid, mode & 0o777], [SERVICE, 0o600])
    })

  test('the log names root, who did it', async () => {
    const { stdout } = await cliProcess(['audit', 'search', '--json'], folder)
    assert.match(stdout, /operator:root/)
    assert.doesNotMatch(stdout, /operator:nobody/)
  })

  test('a configuration that only root can write is changed, and stays so', async () => {
    chownSync(folder, 0, 0)
    chmodSync(folder, 0o755)
    chownSync(config(), 0, 0)
    chmodSync(config(), 0o644)
    const { code, stderr } = await cliProcess(
      ['parameters', 'types', 'set', '/carts', 'query.note', 'text'],
      folder,
    )
    assert.equal(code, 0, stderr)
    assert.match(readFileSync(config(), 'utf8'), /carts/)
    const { uid, mode } = statSync(config())
    assert.deepEqual([uid, mode & 0o777], [0, 0o644])
    give()
  })
})
