import { PUBLIC_NAME } from './public-name.ts'
import { prologOf } from './xml-prolog.ts'

/** Who publishes schemas and document types that documents name. */
export const SCHEMA_HOST: RegExp =
  /^https?:\/\/(?:[\w-]{1,24}\.){0,3}(?:w3\.org|apple\.com|sun\.com|oracle\.com|oasis-open\.org|docbook\.org|docbook\.sourceforge\.net|netscape\.com|hibernate\.org|hibernate\.sourceforge\.net|apache\.org|springframework\.org|mybatis\.org|freedesktop\.org|netbeans\.org|wapforum\.org|openmobilealliance\.org|jboss\.org|puppycrawl\.com|checkstyle\.org|opensymphony\.com|daisy\.org|idpf\.org|nlm\.nih\.gov|ncbi\.nlm\.nih\.gov|bea\.com|ibm\.com|gnome\.org|kde\.org|qt\.io|xmlsoap\.org|sitemaps\.org|google\.com|topografix\.com|opengis\.net|purl\.org|jcp\.org|jakarta\.ee|niso\.org|loc\.gov|garmin\.com|adobe\.com|microsoft\.com|openarchives\.org|omg\.org|dmtf\.org|uddi\.org|liquibase\.org|activiti\.org|camunda\.org|jetty\.org|eclipse\.(?:org|dev)|mortbay\.org|castor\.org|exolab\.org|jasperreports\.sourceforge\.net|dozer\.sourceforge\.net|tuckey\.org|doctrine-project\.org|symfony\.com|magento\.com|mulesoft\.org|jasig\.org|liferay\.com|phpunit\.de|pear\.php\.net|mozilla\.org|inkscape\.org|musicxml\.org|cxml\.org|editeur\.org|tei-c\.org|ibatis\.com)(?::\d{1,5})?(?:\/|$)/
/**
 * What has a scheme, or names another host: not a file beside the document, and not a name by which nobody
 * fetches anything (RFC 8141, HTML 13.1.1).
 */
const FOREIGN = /^\s{0,64}(?:(?!urn:|about:legacy-compat)[a-z][a-z\d+.-]{1,20}:|[/\\]{2})/

/** Whether an address in lower case is neither beside the document nor with one who publishes schemas. */
function isForeign(address: string): boolean {
  return FOREIGN.test(address) && !SCHEMA_HOST.test(address.trim())
}

/** None of these goes past a `<`, so that each part of a text is read once, wherever a declaration begins. */
export const FOREIGN_TYPE: RegExp =
  /<!\s{0,512}doctype\s{1,512}[^\s<>["']{1,2048}\s{1,512}(?:system\s{0,512}|public\s{0,512}(?:"[^"<]{0,1024}"|'[^'<]{0,1024}')\s{0,512})["']([^"'<]{1,512})/g

/** A span of a text. */
interface Found {
  readonly start: number
  readonly end: number
}

/** A document type that is fetched from somewhere. */
export function findForeignType(lower: string): Found | undefined {
  for (const found of lower.matchAll(FOREIGN_TYPE)) if (isForeign(found[1] ?? '')) return spanOf(found)
  return undefined
}

const SCHEMES = 'expect|php|file|msl|ephemeral|text|gopher|jar|netdoc|dict|ldap|tftp|sftp|ftp|vid|phar|zip'
/**
 * Elements that have a parser, or what draws a document, open what they name. The usual prefix of XInclude is
 * looked for where it is used: what converts DocBook declares it on elements that include nothing.
 */
export const OPENING_ELEMENT: RegExp = new RegExp(
  '(?<!xmlns:xi\\s{0,4}=\\s{0,4}["\']http:\\/\\/www\\.w3\\.org)\\/2001\\/xinclude["\'\\s]' +
    '|<(?:[^\\s<>:/]{1,80}:)?include\\s[^<>]{0,1024}?\\bhref\\s{0,64}=' +
    `|<(?:[^\\s<>:/]{1,80}:)?(?:image|use|feimage|script|tref)\\s[^<>]{0,1024}?href\\s{0,64}=\\s{0,64}["']\\s{0,64}(?:${SCHEMES}):` +
    `|<(?:[^\\s<>:/]{1,80}:)?import\\s[^<>]{0,1024}?location\\s{0,64}=\\s{0,64}["']\\s{0,64}(?:${SCHEMES}):`,
)

/** A stylesheet that lies on another host, or is opened by a scheme. */
export const FOREIGN_STYLESHEET: RegExp =
  /<\?xml-stylesheet\s[^<>]{0,1024}?\bhref\s{0,64}=\s{0,64}["']\s{0,64}((?:[a-z]{2,12}:)?\/\/[^"'<>]{0,512})/g
/** Feeds and lists of pages name one for browsers; who reads them as data applies none. */
const FEED =
  /^\ufeff?\s{0,64}(?:<\?[^<>]{1,1024}\?>\s{0,64}|<!--[^<>]{0,1024}-->\s{0,64}){1,8}<(?:rss|feed|rdf:rdf|urlset|sitemapindex|oai-pmh|opml)[\s>]/
const ON_THE_WEB = new RegExp(`^https?://${PUBLIC_NAME}(?::\\d{1,5})?/[^\\s]{0,500}$`)

/**
 * A stylesheet that whoever draws or transforms a document fetches.
 * @param isWhole whether the text is all that was sent
 */
export function findStylesheet(lower: string, isWhole: boolean): Found | undefined {
  const isFeed = isWhole && FEED.test(lower)
  for (const found of lower.matchAll(FOREIGN_STYLESHEET))
    if (!isFeed || !ON_THE_WEB.test(found[1] ?? '')) return spanOf(found)
  return undefined
}

/** What says that a document is a program of XSLT, in lower case. */
export const TRANSFORM: string = '/1999/xsl/transform'
/**
 * A tag from its `<` on. What follows goes past no other, so that each part of a text is read once: without
 * the `<`, a text of nothing but such names was read a thousand times.
 */
const PREFIX = '<[^\\s<>:/]{1,80}:'
const PLACE = '(?:[a-z][a-z\\d+.-]{1,20}:|[/\\\\]|\\.\\.[/\\\\])'
const QUOTE = '(?:["\']|&quot;|&apos;|&#3[49];)'
const ATTRIBUTE = (name: string): string => `[^<>]{0,1024}?\\b(?:${name})\\s{0,64}=\\s{0,64}["']\\s{0,64}`
const READING =
  'document|doc|doc-available|unparsed-text|unparsed-text-lines|collection|uri-collection|json-doc|system-property|environment-variable'
/** What a stylesheet calls that reads files. */
const READ_BY_TRANSFORM = new RegExp(
  `(?<![\\w$-])(?:${READING})\\s{0,64}\\(\\s{0,64}(?!${QUOTE}\\s{0,8}${QUOTE})(?:${QUOTE}([^"'<>]{0,256}))?`,
  'g',
)
/** What it calls that runs programs, or writes. */
const RUN_BY_TRANSFORM = new RegExp(
  '(?<![\\w$-])(?:php:function(?:string)?|saxon:(?:evaluate|expression)|dyn:evaluate)\\s{0,64}\\(' +
    `|${PREFIX}(?:script|component)\\s${ATTRIBUTE('language|implements-prefix|functions')}` +
    `|${PREFIX}(?:document|result-document|write|output|open)\\s${ATTRIBUTE('href|file|select')}${PLACE}` +
    '|xmlns:[^\\s=<>"\']{1,64}\\s{0,64}=\\s{0,64}["\']\\s{0,64}(?:https?:\\/\\/(?:xml\\.apache\\.org\\/(?:xalan|xslt)\\/java|www\\.oracle\\.com\\/xsl\\/transform\\/java|php\\.net\\/xsl|saxon\\.sf\\.net\\/java-type|icl\\.com\\/saxon|exslt\\.org\\/dynamic|expath\\.org\\/ns\\/(?:file|http-client|zip))|xalan:\\/\\/|java:[a-z]|clitype:)',
)
const IMPORTED = new RegExp(`${PREFIX}(?:include|import)\\s${ATTRIBUTE('href')}([^"'<>]{1,512})`, 'g')
/** Where systems keep what is theirs. */
const OF_SYSTEM =
  /^\/(?:etc|proc|sys|dev|home|root|var|tmp)\/|^\s{0,8}(?:file:)?\.{0,2}[?#/]{0,2}(?:\.\.[/\\]{1,2}){1,32}(?:etc|proc|sys|dev|root|windows|winnt)[/\\]|^\s{0,8}\.?[?#](?:\.\.\/){2}/

/**
 * What a stylesheet does that reads, writes or runs something: nothing where a text is not a stylesheet.
 * @param beside whether it may read files that lie beside it, as stylesheets in files do
 */
export function findTransform(lower: string, beside: 'refused' | 'read'): Found | undefined {
  return lower.includes(TRANSFORM) ? readTransform(lower, beside) : undefined
}

/** A file of the system, or a metadata service, as a text of its own. */
const LITERAL =
  /["'](?:(?:file:\/{0,3})?\/(?:etc|proc|sys|dev|root)\/|https?:\/\/169\.254\.)[^"'<>]{0,256}["']/

/** As `findTransform`, of a part of what is a stylesheet. */
export function readTransform(lower: string, beside: 'refused' | 'read'): Found | undefined {
  const run = RUN_BY_TRANSFORM.exec(lower)
  if (run !== null) return spanOf(run)
  for (const found of lower.matchAll(READ_BY_TRANSFORM))
    if (beside === 'refused' || isReached(found[1] ?? '') || (found[1] === undefined && LITERAL.test(lower)))
      return spanOf(found)
  for (const found of lower.matchAll(IMPORTED)) if (isReached(found[1] ?? '')) return spanOf(found)
  return undefined
}

/** Whether an address is not one of a file that lies beside the document. */
export function isReached(address: string): boolean {
  return isForeign(address) || OF_SYSTEM.test(address)
}

function spanOf(found: RegExpExecArray): Found {
  return { start: found.index, end: found.index + found[0].length }
}

/** The name of an entity, in any script. */
const NAME = '[^\\s"\'<>%]{1,256}'
/** An entity that is fetched, one that writes another, or one made of many others. */
const ENTITY = new RegExp(
  `<!entity\\s%?\\s?${NAME}\\s(?:system\\s?|public\\s?(?:"[^"<]{0,1024}"|'[^'<]{0,1024}')\\s?)["'][^"'<]{0,512}["']?` +
    `|<!entity\\s%\\s?${NAME}\\s?["'][^"']{0,512}?(?:&#(?:x0{0,8}(?:3c|25)|0{0,8}(?:60|37));|<!entity)` +
    `|<!entity\\s%?\\s?${NAME}\\s?["']\\s?([&%][^\\s;&%"'<>]{1,256};)(?:\\s?\\1){2}`,
)

/** An entity that stands for a few characters, or for the namespace or a style of a drawing program. */
const PLAIN_ENTITY =
  /<!entity\s{1,16}[\w.-]{1,40}\s{1,16}(["'])(?:((?:&#(?:x[\da-f]{2,6}|\d{3,7});){1,4})|https?:\/\/(?:ns\.adobe\.com|(?:www\.)?w3\.org|www\.inkscape\.org|sodipodi\.sourceforge\.net|purl\.org)\/[\w./#-]{0,64}|(?:[a-z-]{3,24}:(?:[\w#., -]|%(?![\w:])){1,48};){1,24})\1\s{0,16}>/g
/** The last character of ASCII, and the controls behind it. */
const LAST_CONTROL = 0x9f

/**
 * A text in lower case with spaces for the entities that are declared so that a page can write `&nbsp;` or a
 * drawing can shorten its namespaces: none of them is markup, and none holds another.
 */
export function withoutPlainEntities(lower: string): string {
  return lower.replace(PLAIN_ENTITY, (whole: string, _quote: string, characters: string | undefined) =>
    characters === undefined || codesIn(characters).every(code => code > LAST_CONTROL)
      ? ' '.repeat(whole.length)
      : whole,
  )
}

function codesIn(references: string): readonly number[] {
  return references
    .slice(0, -1)
    .split(';')
    .map(reference => Number(reference.startsWith('&#x') ? `0${reference.slice(2)}` : reference.slice(2)))
}

/** An address that no document has opened but in an attack. */
const OF_ATTACK =
  '(?:php|expect|netdoc|jar|gopher|dict|ldaps?|tftp|phar|data):|(?:file:\\/{0,4})?(?:\\/(?:etc|proc|sys|dev|root)\\/|[a-z]:[\\\\/](?:windows|winnt|boot\\.ini|inetpub)\\b)|https?:\\/\\/169\\.254\\.'
/**
 * The same of a file of declarations, which others include. What declares the parts of a document type names
 * files, but none of the system, and writes no entity whose address holds what another one read.
 */
const ATTACKING_DECLARATION = new RegExp(
  `<!entity\\s%?\\s?${NAME}\\s(?:system\\s?|public\\s?(?:"[^"<]{0,1024}"|'[^'<]{0,1024}')\\s?)["']\\s?(?:${OF_ATTACK})` +
    `|<!entity\\s%\\s?${NAME}\\s?["']\\s?(?:<|&#(?:x0{0,8}3c|0{0,8}60);)!entity\\s[^<>"']{0,128}system\\s?["'][^"'<>]{0,256}%[^\\s;%"'<>]{1,64};`,
)

/**
 * What the prolog of a document in lower case has a parser fetch, or grow by without end. What stands in no
 * document type is a file of declarations, which names where others lie.
 */
export function fetchedByProlog(prolog: string): string | undefined {
  const start = prolog.indexOf('<!doctype')
  if (start < 0) {
    const attacking = ATTACKING_DECLARATION.exec(prolog)
    return attacking === null ? undefined : `${attacking[0]}">`
  }
  const declared = prolog.slice(start)
  const entity = ENTITY.exec(declared)
  if (entity !== null) return `${entity[0]}>`
  const type = findForeignType(declared)
  return type === undefined ? undefined : `${declared.slice(type.start, type.end)}">`
}

/** How documents begin, but for their first element. */
const PROLOG = /^[\ufeff\s]{0,16384}<(?:\?xml\s|!doctype\s|!--)/

/** A document, from its start on, whose prolog has a parser fetch something. */
export function findFetchingProlog(lower: string): Found | undefined {
  if (!PROLOG.test(lower)) return undefined
  return fetchedByProlog(prologOf(lower).text) === undefined ? undefined : { start: 0, end: lower.length }
}
