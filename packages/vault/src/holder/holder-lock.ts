import { basename, dirname, resolve } from 'node:path'
import { type DirectoryLock, lockDirectory } from '@postern/store'

/**
 * The right to run the holder of a file. Each process counts what it opened in memory: two of them would open
 * twice the budget, and what one freezes the other would go on to open.
 * @throws StoreError naming the process that has it
 */
export function lockHolder(data: string): DirectoryLock {
  const path = resolve(data)
  return lockDirectory(dirname(path), { name: basename(path) })
}
