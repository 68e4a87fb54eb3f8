/** An attribute with a reference in its value. */
const REFERRING = /=\s{0,64}(?:"[^"<&]{0,4096}&[^"<]{0,4096}"|'[^'<&]{0,4096}&[^'<]{0,4096}')/g
const REFERENCE = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([^\s&;#"'<>]{1,64}));/gi
/** Entities that a document declares with a text of its own. */
const DECLARED = /<!ENTITY\s([^\s"'<>%]{1,64})\s["']([^"'<]{0,512})["']/gi
const MOST_ENTITIES = 256
/** What stands in attributes for syntax. */
const SYNTAX = /[<>"'&]/
/** Characters that references may add to a document. */
const MOST_ADDED = 131_072

/**
 * A document in which attributes are as a parser reads them: with the characters and the texts that their
 * references stand for (XML 1.0 section 3.3.3), but for those of syntax. Namespaces and addresses are
 * compared after that.
 * @param prolog in which a document declares entities, without comments and runs of spaces
 */
export function withReferences(document: string, prolog: string): string {
  if (!document.includes('&')) return document
  const entities = entitiesOf(prolog)
  let left = MOST_ADDED
  const resolve = (reference: string, decimal?: string, hexadecimal?: string, name?: string): string => {
    const text = name === undefined ? characterOf(decimal, hexadecimal) : entities.get(name)
    if (text === undefined || left < text.length || SYNTAX.test(text)) return reference
    left -= text.length
    return text
  }
  return document.replace(REFERRING, attribute => attribute.replace(REFERENCE, resolve))
}

function characterOf(decimal: string | undefined, hexadecimal: string | undefined): string | undefined {
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

function entitiesOf(prolog: string): ReadonlyMap<string, string> {
  const entities = new Map<string, string>()
  if (!prolog.includes('<!ENTITY')) return entities
  for (const [, name = '', text = ''] of prolog.matchAll(DECLARED)) {
    // The first declaration counts (XML 1.0 section 4.2).
    if (!entities.has(name) && entities.size < MOST_ENTITIES) entities.set(name, text)
  }
  return entities
}
