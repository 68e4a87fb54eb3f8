import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Manifest, pathsIn, publishedManifest, stagePackage } from '../publishable.ts'
import { packages, root } from '../workspace.ts'

const manifests = packages().map(
  ({ folder }) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
)

test('a published manifest names only files that are published with it', () => {
  assert.ok(manifests.length > 15)
  for (const manifest of manifests) {
    const published = (manifest['files'] as readonly string[]).map(name => `./${name}/`)
    assert.ok(
      pathsIn(manifest).some(path => path.startsWith('./src/')),
      'the workspace loads sources',
    )
    const paths = pathsIn(publishedManifest(manifest))
    assert.ok(paths.length >= 4, `${manifest['name']}`)
    for (const path of paths)
      assert.ok(
        published.some(folder => path.startsWith(folder)),
        `${manifest['name']} publishes ${path}`,
      )
  }
})

test('a published manifest keeps what users need, and has nothing of development', () => {
  const published = publishedManifest({
    name: 'x',
    files: ['dist'],
    exports: {
      '.': { '@postern/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    },
    sideEffects: ['./dist/start.js', './src/start.ts'],
    dependencies: { y: '1.0.0' },
    devDependencies: { z: '1.0.0' },
  })
  assert.deepEqual(published, {
    name: 'x',
    files: ['dist', 'CHANGELOG.md'],
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    sideEffects: ['./dist/start.js'],
    dependencies: { y: '1.0.0' },
  })
  assert.deepEqual(publishedManifest({ name: 'x', sideEffects: false }), { name: 'x', sideEffects: false })
})

test('the folder that is published holds no source and no test', () => {
  const into = mkdtempSync(join(tmpdir(), 'postern-staged-'))
  const folder = 'packages/core'
  const [one] = packages().filter(each => each.folder.replaceAll('\\', '/') === folder)
  assert.ok(one)
  try {
    const staged = stagePackage(one, into)
    const manifest = JSON.parse(readFileSync(join(staged, 'package.json'), 'utf8')) as Manifest
    assert.equal(manifest['name'], '@postern/core')
    assert.equal(JSON.stringify(manifest).includes('./src/'), false)
    assert.match(readFileSync(join(staged, 'README.md'), 'utf8'), /^# /)
    const published = new Set(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
    assert.deepEqual(
      readdirSync(staged).filter(name => !published.has(name)),
      [],
    )
  } finally {
    rmSync(into, { recursive: true })
  }
})

test('what applications choose the version of has no range, which would bring second copies of our packages', () => {
  const named: string[] = []
  for (const manifest of manifests) {
    const peers = (manifest['peerDependencies'] ?? {}) as Readonly<Record<string, string>>
    const meta = (manifest['peerDependenciesMeta'] ?? {}) as Readonly<Record<string, { optional?: boolean }>>
    for (const [name, range] of Object.entries(peers)) {
      named.push(name)
      assert.equal(meta[name]?.optional, true, `${manifest['name']} must not install ${name}`)
      // npm puts a package of ours beside each of those that need it, once an optional peer of it conflicts.
      if (!name.startsWith('@postern/')) assert.equal(range, '*', `${manifest['name']} names ${name}`)
    }
  }
  assert.ok(named.includes('pg') && named.includes('ioredis') && named.includes('nodemailer'))
})
