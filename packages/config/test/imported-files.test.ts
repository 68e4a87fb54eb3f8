import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { staleImportsSentence } from '../src/file/imported-files.ts'
import { loadConfig } from '../src/load/load-config.ts'

for (const [name, text] of Object.entries({
  'postern.config.ts': "import { block } from './rules.ts'\nexport default { block }\n",
  'postern.config.mjs': "const { block } = await import('./rules.ts')\nexport default { block }\n",
  'postern.config.cjs': 'const { block } = require("./rules.ts")\nmodule.exports = { block }\n',
}))
  test(`a changed file that ${name} imports is named, because it is read again at a restart only`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-imports-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, name), text)
    writeFileSync(join(folder, 'rules.ts'), 'export const block = []\n')
    const load = async () => (await loadConfig({ folder, environment: {} })).file
    const first = await load()
    assert.equal(staleImportsSentence(first, await load()), undefined)
    writeFileSync(join(folder, 'rules.ts'), "export const block = ['203.0.113.0/24']\n")
    assert.equal(
      staleImportsSentence(first, await load()),
      'imported files are read again at a restart only: rules.ts changed',
    )
    writeFileSync(join(folder, name), text.replace(/^.*rules.*\n/, '').replace('{ block }', '{}'))
    assert.equal(staleImportsSentence(first, await load()), undefined, 'it is imported no longer')
  })

test('a configuration in YAML imports nothing', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-imports-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'postern.config.yaml'), '# from "./rules.yaml"\nmode: observe\n')
  const { file } = await loadConfig({ folder, environment: {} })
  assert.equal(staleImportsSentence(file, file), undefined)
})
