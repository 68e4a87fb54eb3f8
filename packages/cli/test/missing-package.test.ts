import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { asMissingPackage } from '../src/command/missing-package.ts'
import { CLI } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-missing-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** As Node answers where the package is not installed. */
const WITHOUT_VAULT = `
import { registerHooks } from 'node:module'
registerHooks({
  resolve(wanted, context, next) {
    if (!wanted.startsWith('@postern/vault')) return next(wanted, context)
    const error = new Error("Cannot find package '@postern/vault' imported from /app/chunk.js")
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
`
const hooks = join(folder, 'without-vault.mjs')
writeFileSync(hooks, WITHOUT_VAULT)
writeFileSync(join(folder, 'vault.json'), '{}')

for (const line of ['vault init', 'vault status', 'holder run holder.json', 'holder ask holder.json status'])
  test(`postern ${line} without the package says how to install it`, () => {
    const args = [...SOURCE_FLAGS, '--import', hooks, CLI, ...line.split(' ')]
    const { stderr, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    assert.match(stderr, /need the package @postern\/vault\n {2}hint: npm install @postern\/vault\n$/)
    assert.equal(status, 2)
  })

test('a package that no command leaves out keeps the error of Node', () => {
  const error = Object.assign(new Error("Cannot find package 'left-pad' imported from /app/x.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
  assert.equal(asMissingPackage(error), error)
})
