import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { requireUnbundled } from '../../packages/postern/src/unbundled.ts'
import { SOURCE_FLAGS } from '../../test/source-flags.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-bundled-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const APPLICATION = `import { postern } from 'postern'
postern({ config: { dataDirectory: false, audit: false } }).then(
  async layer => {
    await layer.close()
    console.log('started')
  },
  error => console.log('failed: ' + error.message),
)
`

/** Bundles the application and starts it where nothing but the bundle is, or where Postern is installed. */
async function run(name: string, format: 'esm' | 'cjs', external: string[]): Promise<string> {
  const place = join(folder, name)
  mkdirSync(place)
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
  if (external.length > 0) symlinkSync(modules, join(place, 'node_modules'))
  const entry = join(place, 'application.ts')
  const outfile = join(place, format === 'esm' ? 'out.mjs' : 'out.cjs')
  writeFileSync(entry, APPLICATION)
  const require =
    "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: 'node',
    target: 'node24',
    conditions: ['@postern/source'],
    nodePaths: [modules],
    external,
    logLevel: 'silent',
    banner: format === 'esm' ? { js: require } : {},
  })
  const { stdout, stderr } = spawnSync(process.execPath, [...SOURCE_FLAGS, outfile], {
    cwd: place,
    encoding: 'utf8',
  })
  return stdout + stderr
}

describe('an application that a bundler made one file of', { timeout: 240_000 }, () => {
  test('starts where Postern stays outside', async () => {
    assert.match(await run('outside', 'esm', ['postern']), /started/)
  })

  for (const format of ['esm', 'cjs'] as const)
    test(`says how to keep Postern outside (${format})`, async () => {
      const output = await run(`inside-${format}`, format, [])
      assert.match(output, /Postern was bundled, .*Keep it external: --external:postern for esbuild/)
    })
})

test('a manifest of another package beside the code does not count as its own', () => {
  mkdirSync(join(folder, 'other', 'dist'), { recursive: true })
  writeFileSync(join(folder, 'other', 'package.json'), '{"name":"shop"}')
  const place = `file://${join(folder, 'other', 'dist', 'out.mjs')}`
  assert.throws(() => requireUnbundled(place), /was bundled/)
  assert.throws(() => requireUnbundled(undefined), /was bundled/)
  assert.doesNotThrow(() =>
    requireUnbundled(new URL('../../packages/postern/src/index.ts', import.meta.url).href),
  )
})
