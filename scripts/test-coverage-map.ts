import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Script {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

/** Which places of which source files a test ran. */
export type RanPlaces = (url: string, offset: number) => boolean

/**
 * Reads what `NODE_V8_COVERAGE` wrote.
 * @param folder of its files, of one test file
 */
export function ranPlaces(folder: string): RanPlaces {
  const scripts = new Map<string, Script[]>()
  for (const name of globSync('*.json', { cwd: folder })) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      readonly result: readonly Script[]
    }
    for (const script of result) scripts.set(script.url, [...(scripts.get(script.url) ?? []), script])
  }
  return (url, offset) => (scripts.get(url) ?? []).some(script => countAt(script, offset) > 0)
}

/** The count of the smallest range around a place: ranges are nested. */
function countAt({ functions }: Script, offset: number): number {
  let count = 0
  let smallest = Number.POSITIVE_INFINITY
  for (const { ranges } of functions)
    for (const range of ranges) {
      const length = range.endOffset - range.startOffset
      if (range.startOffset > offset || range.endOffset <= offset || length > smallest) continue
      smallest = length
      count = range.count
    }
  return count
}
