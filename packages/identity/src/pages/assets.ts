import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { stylesheet, type Theme } from './stylesheet.ts'

/** A file of the pages. */
export interface Asset {
  readonly type: string
  readonly body: string
}

/** The files of the pages, and a version that changes with them. */
export interface Assets {
  readonly version: string
  readonly files: ReadonlyMap<string, Asset>
}

/** Reads the scripts that were built beside this file, or, running from sources, takes their types off. */
export function loadAssets(theme: Theme | undefined): Assets {
  const files = new Map<string, Asset>([
    ['style.css', { type: 'text/css; charset=utf-8', body: stylesheet(theme) }],
    ['page.js', { type: 'text/javascript; charset=utf-8', body: script('page') }],
    ['passkeys.js', { type: 'text/javascript; charset=utf-8', body: script('passkeys') }],
  ])
  const all = [...files.values()].map(({ body }) => body).join('\0')
  return { version: hash('sha256', all, 'hex').slice(0, 16), files }
}

function script(name: string): string {
  const isSource = import.meta.url.endsWith('.ts')
  const text = readFileSync(new URL(`../browser/${name}.${isSource ? 'ts' : 'js'}`, import.meta.url), 'utf8')
  const plain = isSource ? stripTypeScriptTypes(text).replaceAll(".ts'", ".js'") : text
  return plain.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
}
