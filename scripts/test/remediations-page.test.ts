import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

const blocks = blocksOf(readPage('docs/remediations.md'))

test('each configuration of the page on remediations is one that Postern takes', async t => {
  // Beside the tests, so that imports of packages resolve.
  const folder = mkdtempSync(join(root, 'scripts', 'test', '.page-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const written = blocks.filter(({ language }) => language === 'yaml')
  assert.ok(written.length >= 5)
  for (const { text } of written) {
    writeFileSync(join(folder, 'postern.config.yaml'), text)
    await loadConfig({ folder, environment: { CROWDSEC_KEY: 'key', CLOUDFLARE_TOKEN: 'token' } })
  }
})

test('the program of the page on remediations prints what the page says', t => {
  const folder = mkdtempSync(join(root, 'scripts', 'test', '.page-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = blocks.findIndex(({ language }) => language === 'ts')
  // A port of its own, for the tests of other files run beside.
  const program = (blocks[at]?.text ?? '')
    .replace(
      ".listen(8081, '127.0.0.1')",
      ".listen(0, '127.0.0.1')\nawait new Promise(resolve => server.once('listening', resolve))",
    )
    .replace("'http://127.0.0.1:8081/", "'http://127.0.0.1:' + server.address().port + '/")
  writeFileSync(join(folder, 'bouncers.ts'), program)
  const printed = execFileSync(
    process.execPath,
    ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', join(folder, 'bouncers.ts')],
    { cwd: folder, encoding: 'utf8' },
  )
  assert.equal(printed, blocks[at + 1]?.text)
})
