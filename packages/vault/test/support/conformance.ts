import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { conformance } from '../../../../test/conformance.ts'

const { path: folder, skip } = conformance('vault')

/** Why the vault's material cannot be read, or false. */
export function absent(): string | false {
  return skip
}

/** A file of the vault's material. */
export function material<T>(path: string): T {
  return JSON.parse(readFileSync(join(folder, path), 'utf8')) as T
}

export function materialText(path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

export interface WycheproofTest {
  readonly tcId: number
  readonly comment: string
  readonly flags?: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface Wycheproof<G, T> {
  readonly testGroups: readonly (G & { readonly tests: readonly (T & WycheproofTest)[] })[]
}

/**
 * Runs every test of a Wycheproof file; returns `file#tcId` of those that came out
 * otherwise than the file says.
 */
export async function deviations<G, T>(
  file: string,
  accepts: (test: T & WycheproofTest, group: G) => boolean | Promise<boolean>,
): Promise<{ readonly ran: number; readonly deviating: readonly string[] }> {
  const deviating: string[] = []
  let ran = 0
  for (const group of material<Wycheproof<G, T>>(`wycheproof/${file}.json`).testGroups) {
    for (const test of group.tests) {
      ran++
      let accepted = false
      try {
        accepted = await accepts(test, group)
      } catch {
        accepted = false
      }
      if (accepted !== (test.result !== 'invalid')) deviating.push(`${file}#${test.tcId}`)
    }
  }
  return { ran, deviating }
}

export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}
