import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../../../test/fresh.ts'

/** A temporary directory that is gone when the test is. */
export function scratch(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-store-'))
  scope.after(async () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Runs work without the rights of root, to which no file is read-only. */
export function unprivileged<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}
