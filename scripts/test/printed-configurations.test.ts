import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { configJsonSchema, loadConfig } from '@postern/config'
import { parseAllDocuments } from 'yaml'
import { root } from '../workspace.ts'
import { type Block, blocksOf, readPage } from './support/page.ts'

const KEYS: ReadonlySet<string> = new Set(
  Object.keys((configJsonSchema() as { readonly properties: object }).properties),
)
/** Blocks of YAML that belong to other programs, by what they begin with. */
const OF_OTHERS = /^(?:#[^\n]*\n)*(?:apiVersion|groups|http|http_filters|scenario|scrape_configs|title):/

/** The keys of a document; none for what is not an object. */
function keysOf(text: string): readonly string[] {
  return parseAllDocuments(text).flatMap(document => Object.keys((document.toJS() ?? {}) as object))
}

/** What variables are set to, by what their name says. */
const VALUES: readonly (readonly [name: RegExp, value: string])[] = [
  [/REDIS/, 'redis://127.0.0.1'],
  [/SMTP/, 'smtp://127.0.0.1'],
  [/WEBHOOK/, 'https://chat.example/hook'],
  [/(?:CLAIM|GRANT|JOURNAL)_KEY/, `1:${Buffer.alloc(32, 1).toString('base64')}`],
  [/KEY|SECRET/, 'x'.repeat(44)],
  [/URL/, 'postgres://127.0.0.1/shop'],
]

function environmentOf(text: string): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
  return Object.fromEntries(
    names.map(name => [name, VALUES.find(([kind]) => kind.test(name))?.[1] ?? 'text']),
  )
}

async function mistakesIn({ text }: Block): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-printed-'))
  try {
    writeFileSync(join(folder, 'postern.config.yaml'), text)
    await loadConfig({ folder, environment: environmentOf(text) })
    return ''
  } catch (error) {
    return String(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('every configuration that a page prints is accepted as it is printed', () => {
  for (const page of globSync(['README.md', 'docs/*.md'], { cwd: root }).toSorted()) {
    const blocks = blocksOf(readPage(page)).filter(({ language }) => language === 'yaml')
    const own = blocks.filter(({ text }) => !OF_OTHERS.test(text))
    // The reference prints fragments: each has its key's own test.
    if (own.length === 0 || page === 'docs/configuration.md') continue
    test(page, async () => {
      for (const block of own) {
        for (const key of keysOf(block.text))
          assert.ok(KEYS.has(key), `${block.heading}: "${key}" is not a key of the configuration`)
        assert.equal(await mistakesIn(block), '', `${block.heading}\n${block.text}`)
      }
    })
  }
})
