import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../workspace.ts'

/** One fenced block of a documentation page. */
export interface Block {
  /** The nearest `##` heading above it; the page's title before the first one. */
  readonly heading: string
  /** `sh`, `console`, `js`, ... */
  readonly language: string
  /** The file that the line above names (`server.mjs` and a colon), for a block that is a file. */
  readonly file: string | undefined
  readonly text: string
}

const FENCE = /^```(\w*)$/
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
  let open: { readonly language: string; readonly lines: string[] } | undefined
  for (const line of page.split('\n')) {
    if (open !== undefined) {
      if (line !== '```') open.lines.push(line)
      else {
        const { language, lines } = open
        blocks.push({ heading, language, file: FILE_NAME.exec(above)?.[1], text: `${lines.join('\n')}\n` })
        open = undefined
        above = ''
      }
      continue
    }
    const language = FENCE.exec(line)?.[1]
    if (language !== undefined) open = { language, lines: [] }
    else if (line.trim() !== '') above = line
    if (/^##? /.test(line)) heading = line.replace(/^#+ /, '')
  }
  return blocks
}
