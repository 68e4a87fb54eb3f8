import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseChange, type VersionedPackage, versionPlan, withRelease } from '../version-plan.ts'

function named(folder: string, version: string, ...needs: readonly string[]): VersionedPackage {
  const dependencies = Object.fromEntries(needs.map(need => [`@postern/${need}`, '0.1.0']))
  return { folder, manifest: { name: `@postern/${folder}`, version, dependencies } }
}

const PACKAGES = [
  named('core', '0.1.0'),
  named('http', '0.4.2', 'core'),
  named('app', '1.2.3', 'http'),
  named('alone', '1.0.0'),
]

function planned(...changes: readonly Parameters<typeof versionPlan>[1][number][]): readonly string[] {
  return versionPlan(PACKAGES, changes).map(({ folder, from, to }) => `${folder} ${from} ${to}`)
}

describe('the versions that changes make', () => {
  test('stay as they were without changes', () => {
    assert.deepEqual(planned(), [])
  })

  test('are raised by the largest step of a package', () => {
    assert.deepEqual(
      planned({ packages: { alone: 'patch' }, text: 'a' }, { packages: { alone: 'minor' }, text: 'b' }),
      ['alone 1.0.0 1.1.0'],
    )
    assert.deepEqual(planned({ packages: { alone: 'major' }, text: 'a' }), ['alone 1.0.0 2.0.0'])
    assert.deepEqual(planned({ packages: { app: 'patch' }, text: 'a' }), ['app 1.2.3 1.2.4'])
  })

  test('are raised in every package that pins a released one, through others too', () => {
    assert.deepEqual(planned({ packages: { core: 'minor' }, text: 'a' }), [
      'core 0.1.0 0.2.0',
      'http 0.4.2 0.4.3',
      'app 1.2.3 1.2.4',
    ])
  })

  test('stay below 1.0 until somebody says 1.0', () => {
    assert.deepEqual(planned({ packages: { http: 'major' }, text: 'a' }).slice(0, 1), ['http 0.4.2 0.5.0'])
  })

  test('come with a changelog of the sentences for users, the newest release first', () => {
    const changes = [
      { packages: { core: 'minor' as const }, text: 'One.' },
      { packages: { core: 'patch' as const }, text: 'Two\nlines.' },
    ]
    const [core, http] = versionPlan(PACKAGES, changes)
    assert.ok(core !== undefined && http !== undefined)
    const first = withRelease('@postern/core', '', { ...core, to: '0.1.9', lines: ['Zero.'] }, '2026-01-01')
    assert.equal(
      withRelease('@postern/core', first, core, '2026-02-01'),
      `# Changelog of @postern/core

## 0.2.0 (2026-02-01)

- One.
- Two
  lines.

## 0.1.9 (2026-01-01)

- Zero.
`,
    )
    assert.deepEqual(http.lines, ['Updated the packages that it depends on.'])
  })
})

describe('a file of changes', () => {
  const read = (source: string): unknown => parseChange('changes/a.md', source, ['core', 'http'])

  test('names packages, steps, and what is different', () => {
    assert.deepEqual(read('---\ncore: minor\nhttp: patch\n---\n\nLimits are quicker.\n'), {
      packages: { core: 'minor', http: 'patch' },
      text: 'Limits are quicker.',
    })
  })

  test('is refused when it names neither, with the line', () => {
    assert.throws(() => read('core: minor\n'), /changes\/a\.md: begins with/)
    assert.throws(() => read('---\nkore: minor\n---\nx\n'), /"kore: minor" names no package/)
    assert.throws(() => read('---\ncore: big\n---\nx\n'), /"core: big" must end in patch, minor or major/)
    assert.throws(() => read('---\ncore: minor\n---\n \n'), /says nothing/)
  })
})
