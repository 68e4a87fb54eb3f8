import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { build } from 'esbuild'
import { packages, root } from '../workspace.ts'

/** Every entry that a package offers to `require()`: `@postern/vault/holder`. */
const ENTRIES = packages().flatMap(({ folder, manifest }) => {
  const { exports = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    exports?: Readonly<Record<string, unknown>>
  }
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object' && target !== null && 'require' in target)
    .map(([path]) => manifest.name + path.slice(1))
})

describe('an application in CommonJS', { timeout: 120_000 }, () => {
  test('can require every entry', () => {
    assert.ok(ENTRIES.length > 20)
    const code = `for (const name of ${JSON.stringify(ENTRIES)})
      try { require(name) } catch (error) { console.log(name, error.code ?? error.message) }`
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', '-e', code],
      { cwd: root, encoding: 'utf8' },
    )
    assert.equal(stdout, '', stderr)
    assert.equal(status, 0, stderr)
  })

  const folder = mkdtempSync(join(tmpdir(), 'postern-entries-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  // `postern` itself says that it must stay outside: bundled-application.test.ts.
  const parts = ENTRIES.filter(name => name !== 'postern')

  for (const [format, file] of [
    ['cjs', 'out.cjs'],
    ['esm', 'out.mjs'],
  ] as const)
    test(`can be made one file of, whichever part it imports (${format})`, async () => {
      const outfile = join(folder, file)
      await build({
        stdin: { contents: parts.map(name => `import ${JSON.stringify(name)}`).join('\n'), resolveDir: root },
        outfile,
        format,
        bundle: true,
        platform: 'node',
        target: 'node24',
        conditions: ['@postern/source'],
        ignoreAnnotations: true,
        external: ['nodemailer', 'openid-client', 'oidc-provider', '@simplewebauthn/server'],
        logLevel: 'silent',
      })
      // What a module does when it is run as a program, each part of a bundle would do.
      assert.doesNotMatch(readFileSync(outfile, 'utf8'), /import(?:_|\.)meta\w*\.main/)
      if (format === 'esm') return
      const { stderr, status } = spawnSync(process.execPath, [outfile], { cwd: folder, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    })
})
