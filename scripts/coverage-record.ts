import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Comment, parse } from 'acorn'
import type { FileCoverage } from './coverage-table.ts'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Script {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[]; readonly isBlockCoverage: boolean }[]
}

/** What all processes so far have run of one file. */
interface Reached {
  /** 1 for each place of the text that some process ran. */
  readonly ran: Uint8Array
  /** Blocks as `start-end`, with 1 when a process ran exactly this block. */
  readonly blocks: Map<string, 0 | 1>
}

/**
 * Adds up what `NODE_V8_COVERAGE` writes, over all processes and threads that tests start. A place counts as
 * run when any of them ran it; a block (V8's word for a branch, the body of a function included) counts once,
 * however many processes report it. Takes memory in proportion to the source, not to the number of processes.
 */
export class CoverageRecord {
  readonly #root: string
  readonly #reached = new Map<string, Reached>()

  /**
   * @param root the workspace
   * @param files of which coverage is counted, relative to the root
   */
  constructor(root: string, files: readonly string[]) {
    this.#root = root
    for (const file of files) {
      const { length } = readFileSync(join(root, file), 'utf8')
      this.#reached.set(pathToFileURL(join(root, file)).href, {
        ran: new Uint8Array(length),
        blocks: new Map(),
      })
    }
  }

  /** Adds every file of a `NODE_V8_COVERAGE` folder. One that a killed process left incomplete is ignored. */
  add(folder: string): void {
    for (const name of globSync('coverage-*.json', { cwd: folder })) {
      const scripts = parsed(readFileSync(join(folder, name), 'utf8'))
      for (const script of scripts) {
        const reached = this.#reached.get(script.url)
        if (reached !== undefined) addScript(reached, script)
      }
    }
  }

  /** The coverage of each file that holds code, also of those that no process loaded. */
  files(): readonly FileCoverage[] {
    return [...this.#reached].flatMap(([url, { ran, blocks }]) => {
      const source = readFileSync(new URL(url), 'utf8')
      const lines = codeLines(source)
      if (lines.length === 0) return []
      const missed = lines.filter(places => !places.some(place => ran[place] === 1))
      const hit = [...blocks].filter(([block, own]) => own === 1 || ran[Number.parseInt(block, 10)] === 1)
      const file = url.slice(pathToFileURL(this.#root).href.length + 1)
      return [
        {
          file,
          lines: lines.length,
          linesHit: lines.length - missed.length,
          // A file that nothing loads reports no block: it counts as one that is not run.
          branches: Math.max(blocks.size, 1),
          branchesHit: hit.length,
          missed: missed.map(([place = 0]) => lineOf(source, place)),
          missedBranches: [...blocks.keys()]
            .filter(block => !hit.some(([own]) => own === block))
            .map(block => lineOf(source, Number.parseInt(block, 10))),
        },
      ]
    })
  }
}

function parsed(text: string): readonly Script[] {
  try {
    return (JSON.parse(text) as { readonly result: readonly Script[] }).result
  } catch {
    return []
  }
}

function addScript({ ran, blocks }: Reached, { functions }: Script): void {
  const own = new Uint8Array(ran.length)
  for (const { ranges, isBlockCoverage } of functions) {
    // Ranges are nested and the outer one comes first: the last that covers a place holds for it.
    for (const { startOffset, endOffset, count } of ranges)
      own.fill(count > 0 ? 1 : 0, startOffset, endOffset)
    if (isBlockCoverage) addBlocks(blocks, ranges)
  }
  for (let place = 0; place < own.length; place++) if (own[place] === 1) ran[place] = 1
}

/** A block that any process ran has run. */
function addBlocks(blocks: Reached['blocks'], ranges: Script['functions'][number]['ranges']): void {
  for (const { startOffset, endOffset, count } of ranges) {
    const block = `${startOffset}-${endOffset}`
    if (count > 0 || !blocks.has(block)) blocks.set(block, count > 0 ? 1 : 0)
  }
}

/** For each line with code on it the places of that code; types and comments do not count. */
function codeLines(source: string): readonly (readonly number[])[] {
  const plain = stripTypeScriptTypes(source)
  const isComment = new Uint8Array(plain.length)
  const onComment: Comment[] = []
  parse(plain, { ecmaVersion: 'latest', sourceType: 'module', onComment })
  for (const { start, end } of onComment) isComment.fill(1, start, end)
  const lines: number[][] = [[]]
  for (let place = 0; place < plain.length; place++) {
    const character = plain.charAt(place)
    if (character === '\n') lines.push([])
    // A line with nothing but brackets on it holds no code of its own.
    else if (isComment[place] === 0 && /[\w$'"`/]/.test(character)) lines.at(-1)?.push(place)
  }
  return lines.filter(places => places.length > 0)
}

function lineOf(source: string, place: number): number {
  return source.slice(0, place).split('\n').length
}
