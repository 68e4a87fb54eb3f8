import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../workspace.ts'

interface LockedPackage {
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where npm would look for a dependency of the package at `place`: beside it, then further out. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, place: string, name: string): boolean {
  for (let folder = place; ; ) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[candidate] !== undefined) return true
    if (folder === '') return false
    const end = folder.lastIndexOf('/node_modules/')
    folder = end < 0 ? '' : folder.slice(0, end)
  }
}

describe('the lock files', () => {
  for (const folder of ['.', 'e2e', 'bench'])
    test(`${folder}: hold the packages of every platform, without which npm ci fails on a fresh machine`, () => {
      const text = readFileSync(join(root, folder, 'package-lock.json'), 'utf8')
      const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> }
      const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
        Object.keys(optionalDependencies)
          .filter(name => !isLocked(packages, place, name))
          .map(name => `${place} needs ${name}`),
      )
      assert.deepEqual(missing, [])
    })
})
