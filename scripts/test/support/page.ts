import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../workspace.ts'

/** One fenced block of a documentation page. */
export interface Block {
  /** The nearest `##` heading above it; the page's title before the first one. */
  readonly heading: string
  /** `sh`, `console`, `js`, ... */
  readonly language: string
  /** The file that a block is: named behind its language, or by the line above (`server.mjs` and a colon). */
  readonly file: string | undefined
  readonly text: string
}

const FENCE = /^```(\w*)(?: ([\w./-]+))?$/
const FILE_NAME = /`([\w./-]+\.\w+)`:$/

/** The text of a page of this repository, by its path from the root. */
export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Every fenced block of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let heading = ''
  let above = ''
  let open:
    | { readonly language: string; readonly file: string | undefined; readonly lines: string[] }
    | undefined
  for (const line of page.split('\n')) {
    if (open !== undefined) {
      if (line !== '```') open.lines.push(line)
      else {
        const { language, file = FILE_NAME.exec(above)?.[1], lines } = open
        blocks.push({ heading, language, file, text: `${lines.join('\n')}\n` })
        open = undefined
        above = ''
      }
      continue
    }
    const [, language, file] = FENCE.exec(line) ?? []
    if (language !== undefined) open = { language, file, lines: [] }
    else if (line.trim() !== '') above = line
    if (/^##? /.test(line)) heading = line.replace(/^#+ /, '')
  }
  return blocks
}
