import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import type { Decision, Exchange } from '@postern/core'

/** In an order in which each has what it needs. */
const MODULES = [
  ...['kept-session', 'session-keeper', 'bound-requests'],
  ...['bound-worker', 'keep-session-bound', 'session-script'],
]

/** Module state: the one script of this version, made when a page first asks for it. */
let made: { readonly body: string; readonly tag: string } | undefined

/**
 * `session.js`: one plain script, which a page loads, a service worker is, and a service worker of the
 * application may import. Made of the modules of `browser/` when it is first asked for.
 */
export function bindScript(exchange: Exchange): Decision {
  made ??= compose()
  const { body, tag } = made
  const headers = [
    ...['Content-Type', 'text/javascript; charset=utf-8', 'X-Content-Type-Options', 'nosniff'],
    // As a service worker it sees requests of the whole origin.
    ...['Service-Worker-Allowed', '/', 'ETag', tag, 'Cache-Control', 'no-cache'],
  ]
  const isKnown = exchange.header('if-none-match') === tag
  return {
    effect: 'allow',
    answer: isKnown ? { status: 304, headers, body: '' } : { status: 200, headers, body },
  }
}

function compose(): { readonly body: string; readonly tag: string } {
  const parts = MODULES.map(plainCode)
  const body = `(() => {\n'use strict'\n${parts.join('\n')}})()\n`
  return { body, tag: `"${hash('sha256', body, 'hex').slice(0, 16)}"` }
}

/**
 * A module's code without what makes it a module: the parts share one scope, so imports are there already.
 */
function plainCode(name: string): string {
  const isSource = import.meta.url.endsWith('.ts')
  const text = readFileSync(new URL(`../browser/${name}.${isSource ? 'ts' : 'js'}`, import.meta.url), 'utf8')
  return (isSource ? stripTypeScriptTypes(text) : text)
    .replace(/^import [^;]*? from '[^']+';?$/gm, '')
    .replace(/^export \{[^}]*\};?$/gm, '')
    .replace(/^export /gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
}
