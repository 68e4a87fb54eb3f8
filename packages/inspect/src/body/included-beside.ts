/** An inclusion, and nothing in it that a reference could hide. */
const INCLUSION =
  /<(?:xi:include|xsd?:(?:include|import|redefine|override))(?=[\s/>])((?:\s{1,64}[a-zA-Z:-]{1,32}\s{0,16}=\s{0,16}(?:"[^"<>&]{0,512}"|'[^'<>&]{0,512}')){0,8})\s{0,64}\/?>/g
const ATTRIBUTE = /([a-zA-Z:-]{1,32})\s{0,16}=\s{0,16}(?:"([^"]{0,512})"|'([^']{0,512})')/g
/** The name of a document, without a folder. */
const BESIDE = /^[\w-]{1,80}(?:\.[\w-]{1,40}){0,6}\.(?:xml|xsd|ent|dbk|docbook|xi|dita)$/i
/** Documents that hold the settings and the accounts of servers and tools, wherever they lie. */
const SETTINGS =
  /^(?:web|server|context|tomcat|settings|pom|persistence|app|hibernate|log4j|logback|beans|config|credential|secret|user|account|standalone|domain|jetty|struts|faces|database|data-?source|db)/i
/** What has names mean something other than what lies beside the document. */
const MOVED = /xml:base|<!attlist/i
/** Attributes of XInclude 1.0 (section 3.1), less those about how a text is asked for, and of XML Schema. */
const KNOWN: ReadonlySet<string> = new Set(['href', 'parse', 'xpointer', 'schemaLocation', 'namespace', 'id'])

/**
 * A document without what it includes of others that lie beside it, as manuals and schemas do: no parser
 * includes anything unless it is configured to, and what is included so is a document too. What names another
 * place, a text or the settings of a server stays. Linear.
 */
export function withoutIncludedBeside(text: string): string {
  if (!/<(?:xi:include|xsd?:)/.test(text) || MOVED.test(text)) return text
  return text.replace(INCLUSION, (whole: string, attributes: string) =>
    isBeside(attributes) && (whole.startsWith('<xi:') || attributes.includes('schemaLocation')) ? ' ' : whole,
  )
}

function isBeside(attributes: string): boolean {
  for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    const value = double ?? single ?? ''
    const isPlace = name === 'href' || name === 'schemaLocation'
    if (!KNOWN.has(name) || (name === 'parse' && value !== 'xml')) return false
    if (isPlace && value !== '' && (!BESIDE.test(value) || SETTINGS.test(value))) return false
  }
  return true
}
