// A key that seals must not be gone after a power failure: whoever is sealed with it stays so. What is on the
// disk is what was synced, the file and the directory that names it.
import assert from 'node:assert/strict'
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, mock, test } from 'node:test'
import { loadSigningKeys, rotateSigningKey } from '../../audit/src/log/signing-keys.ts'
import { inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-keys-and-power-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A disk that loses what was not synced when the power fails. */
class Disk {
  /** Files, by inode, whose content is not on the disk, and names that are not in their directory there. */
  readonly #content = new Set<number>()
  readonly #names = new Map<string, string>()
  readonly #open = new Map<number, string>()

  /** Names of files that are gone, empty or of before, were the power to fail now. */
  lost(names: readonly string[]): readonly string[] {
    return names.filter(name => {
      const path = join(folder, name)
      return this.#names.has(path) || this.#content.has(fs.statSync(path).ino)
    })
  }

  #named(path: string): void {
    this.#names.set(path, dirname(path))
  }

  watch(): void {
    const { openSync, writeFileSync: write, writeSync, fsyncSync, renameSync, linkSync } = fs
    mock.method(fs, 'openSync', (path: string, ...more: readonly unknown[]) => {
      const isNew = !fs.existsSync(path)
      const handle: number = Reflect.apply(openSync, fs, [path, ...more])
      this.#open.set(handle, path)
      if (isNew) this.#named(path)
      return handle
    })
    mock.method(fs, 'writeSync', (handle: number, ...more: never[]) => {
      this.#content.add(fs.fstatSync(handle).ino)
      return Reflect.apply(writeSync, fs, [handle, ...more])
    })
    mock.method(fs, 'writeFileSync', (path: string, data: string, options?: { flush?: boolean }) => {
      const isNew = !fs.existsSync(path)
      write(path, data, options as never)
      if (isNew) this.#named(path)
      const { ino } = fs.statSync(path)
      if (options?.flush === true) this.#content.delete(ino)
      else this.#content.add(ino)
    })
    mock.method(fs, 'fsyncSync', (handle: number) => {
      fsyncSync(handle)
      this.#content.delete(fs.fstatSync(handle).ino)
      const path = this.#open.get(handle)
      for (const [name, directory] of this.#names) if (directory === path) this.#names.delete(name)
    })
    mock.method(fs, 'renameSync', (from: string, to: string) => {
      renameSync(from, to)
      this.#named(to)
    })
    mock.method(fs, 'linkSync', (from: string, to: string) => {
      linkSync(from, to)
      this.#named(to)
    })
    syncBuiltinESMExports()
  }
}

const disk = new Disk()
disk.watch()
after(() => {
  mock.restoreAll()
  syncBuiltinESMExports()
})

const done = async (...args: readonly string[]): Promise<void> => {
  const { code, stderr } = await inProcess(args, folder)
  assert.equal(code, 0, stderr)
}

const KEYS: readonly (readonly [name: string, files: readonly string[], make: () => unknown])[] = [
  ['vault init', ['vault.keys', 'vault.search', 'vault.identity'], () => done('vault', 'init')],
  [
    'vault rotate',
    ['vault.keys'],
    async () => {
      const path = join(folder, 'vault.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace('${DATABASE_URL}', 'rows.db'))
      await done('vault', 'rotate')
    },
  ],
  ['holder init', ['one/holder.key'], () => done('holder', 'init', 'one', '1')],
  ['the first key of a log', ['signing-keys'], () => loadSigningKeys(folder, 'example.com/log')],
  ['a new key of a log', ['signing-keys'], () => rotateSigningKey(folder, 'example.com/log')],
]

for (const [name, files, make] of KEYS)
  test(`a power failure after it leaves the keys of: ${name}`, async () => {
    const before = files.map(file =>
      fs.existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '',
    )
    await make()
    for (const [index, file] of files.entries())
      assert.notEqual(readFileSync(join(folder, file), 'utf8'), before[index])
    assert.deepEqual(disk.lost(files), [])
  })

test('a log that another process opens first is signed with the key of that one', () => {
  const place = join(folder, 'raced')
  fs.mkdirSync(place)
  const other = loadSigningKeys(join(folder, 'other'), 'example.com/log')
  // Between the look whether there is a key and the making of one.
  const { existsSync } = fs
  mock.method(fs, 'existsSync', (path: string) => {
    if (basename(path) !== 'signing-keys') return existsSync(path)
    fs.copyFileSync(join(folder, 'other', 'signing-keys'), path)
    return false
  })
  syncBuiltinESMExports()
  assert.deepEqual(loadSigningKeys(place, 'example.com/log').verifierKeys, other.verifierKeys)
})
