import { type ConfigChange, ConfigError, type ConfigException } from '@postern/core'
import type { Document } from 'yaml'
import { yamlPackage } from '../file/yaml-package.ts'
import { applyException, isLimit } from './apply-exception.ts'

/**
 * The text of a YAML configuration with an exception written into it. Comments and the order of keys stay.
 * @throws ConfigError where the place cannot be edited: it is not YAML, or an anchor stands for it
 */
export function editYaml(text: string, exception: ConfigException): string {
  const { isScalar, parseDocument } = yamlPackage()
  const document = parseDocument(text)
  if (document.errors.length > 0)
    throw new ConfigError({
      place: 'configuration',
      problem: 'is not YAML',
      hint: 'correct the file first: `postern doctor` says in which line',
    })
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    document.contents = document.createNode({}) as Document.Parsed['contents']
  for (const change of exception.changes) editNode(document, change)
  return document.toString({ lineWidth: 0 })
}

/**
 * The text of a JSON configuration with an exception written into it, in the indentation it has. The order of
 * keys stays.
 */
export function editJson(text: string, exception: ConfigException): string {
  const bare = text.replace(/^\uFEFF/, '')
  const indentation = /^[ \t]+(?=")/m.exec(bare)?.[0] ?? (bare.trim().includes('\n') ? '' : '  ')
  return `${JSON.stringify(applyException(JSON.parse(bare), exception), null, indentation)}\n`
}

function editNode(document: Document.Parsed, change: ConfigChange): void {
  openWay(document, change.at)
  if ('set' in change) document.setIn(change.at, document.createNode(change.set))
  else editList(document, change)
}

/** Makes mappings of whatever stands on the way to a place. @throws ConfigError where an anchor is on it */
function openWay(document: Document.Parsed, at: ConfigChange['at']): void {
  const { isAlias, isMap, isScalar } = yamlPackage()
  for (let length = 1; length < at.length; length++) {
    const path = at.slice(0, length)
    const node: unknown = document.getIn(path, true)
    if (isAlias(node) || (isMap(node) && node.items.some(({ key }) => isScalar(key) && key.value === '<<')))
      throw new ConfigError({
        place: path.join('.'),
        problem: 'is written by an anchor, which stands for other places too',
        hint: 'write the value out there, or add the exception by hand',
      })
    if (isScalar(node) && isLimit(path) && node.value !== null)
      document.setIn(path, document.createNode({ limit: node.value }))
    else if (node !== undefined && !isMap(node)) document.setIn(path, document.createNode({}))
  }
}

/** Adds to the list at a place, or takes from it. @throws ConfigError where an anchor stands for it */
function editList(document: Document.Parsed, change: Exclude<ConfigChange, { readonly set: unknown }>): void {
  const { isAlias, isScalar, isSeq } = yamlPackage()
  const { at } = change
  const list: unknown = document.getIn(at, true)
  if (isAlias(list))
    throw new ConfigError({
      place: at.join('.'),
      problem: 'is written by an anchor',
      hint: 'write the list out there',
    })
  const before: unknown = isSeq(list) ? list.toJS(document) : []
  const after = at.reduceRight<unknown>((inner, key) => ({ [key]: inner }), before)
  const wanted = at.reduce<unknown>(
    (value, key) => (value as Readonly<Record<string, unknown>>)[key],
    applyException(after, { changes: [change] }),
  ) as readonly unknown[]
  if (!isSeq(list)) document.setIn(at, document.createNode(wanted))
  else if ('add' in change)
    for (const item of wanted.slice(list.items.length)) list.add(document.createNode(item))
  else
    list.items = list.items.filter(item =>
      wanted.includes(isScalar(item) ? (item.value as unknown) : undefined),
    )
}
