import type { ApiEntry, ApiExport } from './api-exports.ts'

/** A page of the library reference: its path from the root, and its text. */
export interface ReferencePage {
  readonly file: string
  readonly text: string
}

const TAG = /^@(param|returns|throws|example|see|typeParam)\b ?/

/** The library reference as Markdown: an index, and a page for each package. */
export function referencePages(entries: readonly ApiEntry[]): readonly ReferencePage[] {
  const byPackage = Map.groupBy(entries, ({ path }) => packageOf(path))
  const pages = [...byPackage].map(([name, of]) => ({
    file: `docs/api/${pageName(name)}.md`,
    text: pageText(name, of),
  }))
  return [{ file: 'docs/api/README.md', text: indexText(byPackage) }, ...pages]
}

function pageText(name: string, entries: readonly ApiEntry[]): string {
  const anchors = new Anchors()
  const headings = [`# ${anchors.heading(`\`${name}\``).text}`, WRITTEN]
  const kind = entries.length > 1 ? 'many' : 'one'
  return `${[...headings, ...entries.map(entry => entryText(entry, kind, anchors))].join('\n\n')}\n`
}

interface Heading {
  readonly text: string
  readonly anchor: string
}

/** The anchors of a page, as GitHub makes them: a second heading of the same text ends in `-1`. */
class Anchors {
  readonly #counts = new Map<string, number>()

  heading(text: string): Heading {
    const anchor = text
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
    const count = this.#counts.get(anchor) ?? 0
    this.#counts.set(anchor, count + 1)
    return { text, anchor: count === 0 ? anchor : `${anchor}-${count}` }
  }
}

const WRITTEN = 'Written by `npm run docs` from the docstrings of the source. [All packages](README.md).'

function packageOf(path: string): string {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/')
}

function pageName(name: string): string {
  return name.replace('@postern/', '')
}

function indexText(byPackage: ReadonlyMap<string, readonly ApiEntry[]>): string {
  const rows = [...byPackage]
    .toSorted(([a], [b]) => order(a).localeCompare(order(b)))
    .map(([name, of]) => {
      const count = of.reduce((sum, entry) => sum + entry.exports.length, 0)
      return `| [\`${name}\`](${pageName(name)}.md) | ${of.map(({ path }) => `\`${path}\``).join(', ')} | ${count} |`
    })
  return `# Library reference

Every public name of every package, from the docstrings of the source. Applications need \`postern\` alone; the other packages are for those who use one part by itself.

| package | import from | names |
|---|---|---|
${rows.join('\n')}
`
}

/** The package that people install comes first. */
function order(name: string): string {
  return name === 'postern' ? '' : name
}

function entryText({ path, exports }: ApiEntry, entries: 'one' | 'many', anchors: Anchors): string {
  const level = entries === 'many' ? '###' : '##'
  const heading = entries === 'many' ? [`## ${anchors.heading(`\`${path}\``).text}`] : []
  const items = exports.map(item => ({ item, anchor: anchors.heading(item.name).anchor }))
  const table = `| name | |\n|---|---|\n${items
    .map(({ item: { name, kind, doc }, anchor }) => `| [\`${name}\`](#${anchor}) | ${described(kind, doc)} |`)
    .join('\n')}`
  return [...heading, table, ...exports.map(item => exportText(item, level))].join('\n\n')
}

function described(kind: ApiExport['kind'], doc: string): string {
  return firstSentence(doc) === '' ? kind : `${kind}: ${cell(firstSentence(doc))}`
}

function firstSentence(doc: string): string {
  const [paragraph = ''] = (sections(doc)[0] ?? '').split('\n\n')
  return /^[\s\S]*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|')
}

function exportText({ name, doc, declaration }: ApiExport, level: string): string {
  return [`${level} ${name}`, ...proseOf(doc), `\`\`\`ts\n${declaration}\n\`\`\``, ...examplesIn(doc)].join(
    '\n\n',
  )
}

/** The text of a docstring, its tags as a list. */
function proseOf(doc: string): readonly string[] {
  const [text, ...tags] = sections(doc)
  const items = tags.flatMap(section => {
    const tag = TAG.exec(section)?.[1]
    if (tag === 'example') return []
    const rest = section.replace(TAG, '').replace(/\s+/g, ' ').trim()
    if (tag === 'param' || tag === 'typeParam') return [`- ${rest.replace(/^(\S+)/, '`$1`:')}`]
    return [`- ${tag}: ${rest}`]
  })
  return [text ?? '', items.join('\n')].filter(part => part !== '')
}

/** The code of each `@example` of a docstring, with its fence. */
export function examplesIn(doc: string): readonly string[] {
  return sections(doc)
    .filter(section => section.startsWith('@example'))
    .map(section => section.replace(TAG, '').trim())
    .map(code => (code.includes('```') ? code : `\`\`\`ts\n${code}\n\`\`\``))
}

/** Exports whose docstring has no text of its own: without one, or with tags alone. */
export function undescribedExports(entries: readonly ApiEntry[]): readonly string[] {
  return entries.flatMap(({ path, exports }) =>
    exports.filter(({ doc }) => (sections(doc)[0] ?? '') === '').map(({ name }) => `${name} of ${path}`),
  )
}

/** Where a tag begins: on a line of its own, or after the sentence of a short docstring. */
const BEFORE_TAG =
  /\n(?=@(?:param|returns|throws|example|see|typeParam)\b)|(?<=[.:;)] )(?=@(?:param|returns|throws) )/

/** The text of a docstring, empty where it has tags alone, and each of its tags. */
function sections(doc: string): readonly string[] {
  const parts = doc.split(BEFORE_TAG).map(part => part.trim())
  return parts[0]?.startsWith('@') ? ['', ...parts] : parts
}
