import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One file of the page, ready to be sent. */
export interface PageFile {
  readonly bytes: Buffer
  readonly type: string
  readonly etag: string
  /** Whether its name changes with its content. */
  readonly isForever: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Where `npm run build` puts the page, seen from the sources and from what is published. */
function pageFolder(): string {
  return fileURLToPath(new URL('../../dist/page', import.meta.url))
}

/**
 * The built page, read once, by the path below the console's own. No other file of the disk can be asked for.
 * @returns undefined when the page was not built
 */
export function readPageFiles(folder: string = pageFolder()): ReadonlyMap<string, PageFile> | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined
  const files = new Map<string, PageFile>()
  for (const name of globSync('**/*', { cwd: folder })) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const bytes = readFileSync(join(folder, name))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    files.set(name === 'index.html' ? '' : name, { bytes, type, etag, isForever: name.startsWith('assets/') })
  }
  return files
}
