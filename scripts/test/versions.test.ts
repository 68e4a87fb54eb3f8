import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The scripts and the manifests of the workspace in a folder of their own. */
function workspaceIn(folder: string): (...words: readonly string[]) => string {
  const scripts = globSync('scripts/*.{ts,mjs}', { cwd: root })
  for (const file of [
    ...scripts,
    'package.json',
    ...globSync(['packages/*/package.json', 'examples/*/package.json'], { cwd: root }),
  ]) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    cpSync(join(root, file), join(folder, file))
  }
  return (...words) => {
    const script = join(folder, 'scripts/versions.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' })
    return status === 0 ? stdout : stderr
  }
}

test('a change that is applied raises its package and everything that pins it, and is then gone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-versions-'))
  try {
    const versions = workspaceIn(folder)
    const manifestOf = (name: string): Manifest =>
      JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as Manifest
    const before = manifestOf('packages/throttle').version
    assert.match(versions(), /^Nothing to release/)
    assert.match(versions('add', 'throttle=major', 'Limits take half the memory.'), /^wrote changes\/limits/)
    assert.match(versions('unreleased'), /^not released yet: changes\/limits/)
    const plan = versions()
    const applied = versions('apply')
    assert.ok(applied.startsWith(plan), 'what was planned was applied')
    const { version } = manifestOf('packages/throttle')
    assert.match(plan, new RegExp(`^throttle +${before} -> ${version}$`, 'm'))
    assert.notEqual(version, before)
    for (const file of globSync(['packages/*/package.json', 'examples/*/package.json'], { cwd: folder })) {
      const pinned = manifestOf(dirname(file)).dependencies ?? {}
      for (const [name, to] of Object.entries(pinned))
        if (/^(?:@postern\/|postern$)/.test(name))
          assert.equal(
            to,
            manifestOf(`packages/${name.replace('@postern/', '')}`).version,
            `${file} pins ${name}`,
          )
    }
    const log = readFileSync(join(folder, 'packages/throttle/CHANGELOG.md'), 'utf8')
    assert.ok(log.includes(version) && log.includes('Limits take half the memory.'))
    assert.equal(versions('unreleased'), '')
    assert.match(versions(), /^Nothing to release/)
    assert.match(versions('add', 'nowhere=major', 'x'), /nowhere/)
    assert.match(versions('publish', '--dry-run'), /is not built: npm run build/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
