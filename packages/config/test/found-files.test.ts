import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { window } from '@postern/throttle'
import { loadConfig } from '../src/index.ts'

const MODULE = "export default { mode: 'observe' }\n"
const COMMON = "module.exports = { mode: 'observe' }\n"
const COMPILED = "exports.__esModule = true\nexports.default = { mode: 'observe' }\n"

/** A folder with these files, `{ name: text }`. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

async function modeIn(folder: string): Promise<string> {
  return (await loadConfig({ folder, environment: {} })).config.mode
}

describe('the configuration file of a folder', () => {
  for (const [what, name, text] of [
    ['a byte order mark', 'postern.config.yaml', '\uFEFFmode: observe\n'],
    ['a byte order mark', 'postern.config.json', '\uFEFF{"mode":"observe"}\r\n'],
    ['lines of Windows', 'postern.config.yaml', 'mode: observe\r\nlimits:\r\n  address: 600/1m\r\n'],
    [
      'a merge',
      'postern.config.yaml',
      'routes:\n  /a: &a { mode: observe }\n  /b:\n    <<: *a\nmode: observe\n',
    ],
  ] as const)
    test(`is read with ${what}: ${name}`, async () => {
      assert.equal(await modeIn(folderWith({ [name]: text })), 'observe')
    })

  test('a merge in YAML gives the keys it brings, and those beside it stay', async () => {
    const text = 'limits:\n  a: &a { limit: 5/1m, routes: [/x] }\n  b:\n    <<: *a\n    limit: 6/1m\n'
    const { config } = await loadConfig({
      folder: folderWith({ 'postern.config.yaml': text }),
      environment: {},
    })
    const merged = config.limits.find(({ name }) => name === 'b')
    assert.deepEqual([merged?.routes, merged?.limit], [['/x'], window(6, '1m')])
  })

  for (const [name, text] of [
    ['postern.yaml', 'mode: observe\n'],
    ['postern.yml', '# ours\nlimits:\n  address: 600/1m\n'],
    ['postern.json', '{ "mode": "observe" }'],
    ['.posternrc', 'upstream: http://127.0.0.1:3000\n'],
    ['.posternrc.json', '{\n  "routes": {}\n}\n'],
    ['postern.toml', 'mode = "observe"\n'],
  ] as const)
    test(`is not looked for under ${name}, which is an error rather than defaults without a word`, async () => {
      const error: unknown = await modeIn(folderWith({ [name]: text })).catch((e: unknown) => e)
      assert.ok(error instanceof ConfigError)
      assert.equal(error.issues[0]?.place, name)
      assert.match(error.issues[0]?.hint ?? '', /rename it.*postern\.config\.yaml/)
    })

  test('files of other programs that are named so, and folders, are not taken for the configuration', async () => {
    const folder = folderWith({
      'postern.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: postern\n',
      'postern.yml': 'services:\n  gateway:\n    image: node\n',
      'postern.json': '{ "name": "postern" }',
    })
    mkdirSync(join(folder, '.posternrc'))
    mkdirSync(join(folder, '.postern'))
    assert.equal(await modeIn(folder), 'enforce')
    writeFileSync(join(folder, 'postern.yaml'), 'mode: enforce\n')
    writeFileSync(join(folder, 'postern.config.yaml'), 'mode: observe\n')
    assert.equal(await modeIn(folder), 'observe')
  })

  test('JSON with comments is an error that names what reads them', async () => {
    const error: unknown = await modeIn(folderWith({ 'postern.config.json': '{"mode":"observe",}' })).catch(
      (e: unknown) => e,
    )
    assert.ok(error instanceof ConfigError)
    assert.match(error.issues[0]?.hint ?? '', /no comments.*postern\.config\.yaml/)
  })

  for (const [name, text] of [
    ['postern.config.ts', MODULE],
    ['postern.config.mts', MODULE],
    ['postern.config.cts', COMMON],
    ['postern.config.js', COMMON],
    ['postern.config.mjs', MODULE],
    ['postern.config.cjs', COMMON],
    ['postern.config.cjs', COMPILED],
    ['postern.config.yaml', 'mode: observe\n'],
    ['postern.config.yml', 'mode: observe\n'],
    ['postern.config.json', '{"mode":"observe"}'],
  ] as const)
    test(`is read as ${name}: ${text.slice(0, 14)}`, async () => {
      assert.equal(await modeIn(folderWith({ [name]: text, 'package.json': '{}' })), 'observe')
    })

  for (const name of [
    'postern.config.toml',
    'postern.config.json5',
    'postern.config.jsonc',
    'postern.config',
    'Postern.config.yaml',
    'postern.config.YAML',
  ])
    test(`${name} is an error, not a start with the defaults`, async () => {
      const error: unknown = await modeIn(folderWith({ [name]: 'mode: observe\n' })).catch((e: unknown) => e)
      assert.ok(error instanceof ConfigError)
      assert.equal(error.issues[0]?.place, name)
      assert.match(error.issues[0]?.hint ?? '', /postern\.config\.yaml/)
    })

  test('is one file: a second is an error, not left out', async () => {
    const folder = folderWith({ 'postern.config.mjs': MODULE, 'postern.config.yaml': 'mode: enforce\n' })
    await assert.rejects(modeIn(folder), /postern\.config\.yaml: would not be read: postern\.config\.mjs is/)
  })

  test('may stand beside what a compiler or an editor writes', async () => {
    const folder = folderWith({
      'postern.config.mts': MODULE,
      'postern.config.mjs': MODULE,
      'postern.config.mjs.map': '{}',
      'postern.config.d.mts': '',
      'postern.config.mts~': 'old',
      'postern.config.mts.bak': 'old',
      '.postern.config.mts.swp': '',
    })
    assert.equal(await modeIn(folder), 'observe')
  })

  for (const name of ['postern.config.js', 'postern.config.cjs', 'postern.config.cts'])
    test(`${name} in CommonJS is read again when it changes`, async () => {
      const folder = folderWith({ [name]: COMMON, 'package.json': '{"type":"commonjs"}' })
      assert.equal(await modeIn(folder), 'observe')
      writeFileSync(join(folder, name), "module.exports = { mode: 'enforce', dataDirectory: false }\n")
      assert.equal(await modeIn(folder), 'enforce')
    })
})
