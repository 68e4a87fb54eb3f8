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

test('what errors say to install is the version that the tests use', () => {
  const checked: string[] = []
  for (const { folder } of packages()) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
    const used = (manifest['devDependencies'] ?? {}) as Readonly<Record<string, string>>
    const sources = readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    for (const file of sources.filter(name => name.endsWith('.ts'))) {
      const source = readFileSync(join(root, folder, 'src', file), 'utf8')
      for (const { index, 1: tested } of source.matchAll(/tested: '([^']+)'/g)) {
        const before = source.slice(Math.max(0, index - 200), index)
        const place = (name: string): number =>
          Math.max(before.lastIndexOf(`'${name}'`), before.lastIndexOf(`${name}: {`))
        const [name = ''] = Object.keys(used).sort((a, b) => place(b) - place(a))
        assert.ok(place(name) >= 0, `${folder}/src/${file}: ${tested} is of a package that tests use`)
        assert.equal(tested, used[name], name)
        checked.push(name)
      }
    }
  }
  assert.equal(checked.length, 8, checked.join(', '))
})
