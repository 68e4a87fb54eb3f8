import type { Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'

const {
  tag: MAX_TAG,
  elementName: LONGEST_ELEMENT,
  attributes: MAX_ATTRIBUTES,
  attributeName: LONGEST_ATTRIBUTE,
  attributeValue: LONGEST_VALUE,
  script: SCRIPT_REACH,
  rereads: MAX_REREADS,
  bareScore: MAX_BARE,
} = LEXER_BOUNDS.html

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Elements that run code or load it, with the score of their mere presence; user content of ordinary sites
 * has none of them.
 */
const ELEMENTS: ReadonlyMap<string, number> = new Map([
  ['script', 6],
  ['iframe', 5],
  ['frame', 5],
  ['frameset', 5],
  ['object', 5],
  ['embed', 5],
  ['applet', 5],
  ['isindex', 5],
  ['bgsound', 5],
  ['layer', 5],
  ['ilayer', 5],
  ['vmlframe', 5],
  ['event-source', 5],
  ['xss', 5],
  ['foreignobject', 5],
  ['base', 4],
  ['xml', 5],
  ['svg', 3],
  ['math', 3],
  ['style', 3],
])

/** Where players, maps, posts and forms of others are embedded from, and providers of many such. */
const PLAYERS =
  /^["'`]?(?:https?:)?\/\/(?:(?:www|m|player|w|open|embed|platform|maps|docs|calendar|fast|view|bandcamp|giphy|clips|cdn|app|public|share|iframe|widget|players|content|my|forms)\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com|dailymotion\.com|aparat\.com|rutube\.ru|vkvideo\.ru|nicovideo\.jp|soundcloud\.com|spotify\.com|google\.(?:com|[a-z]{2,3}|co\.[a-z]{2})\/(?:maps|calendar)|google\.com|codepen\.io|codesandbox\.io|jsfiddle\.net|twitch\.tv|facebook\.com\/plugins|instagram\.com|twitter\.com|tiktok\.com|slideshare\.net|loom\.com|wistia\.(?:com|net)|vidyard\.com|figma\.com|ted\.com|bandcamp\.com|giphy\.com|openstreetmap\.org|issuu\.com|typeform\.com|airtable\.com|datawrapper\.de|datawrapper\.dwcdn\.net|mixcloud\.com|apple\.com|bilibili\.com|vk\.com|rutube\.ru|archive\.org|embedly\.com|iframe\.ly|iframely\.(?:com|net)|streamable\.com|imgur\.com|reddit\.com|redditmedia\.com|kickstarter\.com\/projects|scribd\.com|speakerdeck\.com|prezi\.com|deezer\.com|pinterest\.com|linkedin\.com\/embed|miro\.com|canva\.com|tableau\.com|powerbi\.com|arcgis\.com|observablehq\.com|sketchfab\.com|matterport\.com|calendly\.com|office\.com|live\.com\/embed|brightcove\.net|jwplayer\.com|jwplatform\.com|videodelivery\.net|mux\.com|mediadelivery\.net|anchor\.fm|simplecast\.com|buzzsprout\.com|podbean\.com|spreaker\.com|acast\.com|transistor\.fm|omny\.fm|flourish\.studio|infogram\.com|genial\.ly|quizlet\.com|kahoot\.it|geogebra\.org|desmos\.com|phet\.colorado\.edu|h5p\.(?:org|com)|stackblitz\.com|flickr\.com|gfycat\.com)(?:[/?#"']|$)/

const DANGEROUS_URL =
  /^["'`]{0,2}(?:&\d{1,3};)?(?:javascript|vbscript|livescript|mocha|mhtml|data:text\/(?:html|xml|javascript)|data:image\/svg|data:;|data:,|data:application\/(?:x-)?javascript)/
const DANGEROUS_STYLE = /expression\(|javascript:|vbscript:|-moz-binding|behaviou?r:|@import|-o-link/
const HANDLER = /^on[a-z]{3,40}$/
/**
 * A function or a name in braces, as JSX has it: a browser takes it for a block that does nothing. And a
 * handler that says no more than whether a click counts, opens its own link in a window, as editors write it,
 * takes its own element away, or says nothing.
 */
const IDLE =
  /^(?:\{(?:\(\w{0,16}\)?|\w{1,32}|[\w.]{1,64}\})|"\s?(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?'\w{1,12}'|remove\(\))|window\.open\(this\.href(?:,\s?'[\w-]{0,24}'(?:,\s?'[\w=, -]{0,240}')?)?\);\s?return false)?\s?;?\s?"|'\s?(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?"\w{1,12}"|remove\(\)))?\s?;?\s?')$/
/** Attributes whose value a framework runs, where the value does what only an attack does. */
const DIRECTIVE = /^(?:(?:data-)?ng-|x-(?:init|data|on|html|effect)|v-(?:html|on|bind)|@|data-bind$|hx-on)/
const RUNS =
  /(?:alert|confirm|prompt|eval|fetch|atob|function|import)\s{0,2}[(`]|constructor|\$event\.|document\.|window\.|localstorage/
/** Whatever is not a place on the same site. */
const FOREIGN = /^[^"'`>]{0,8}(?:[/\\]{2}|:(?<!mailto:)|&|\\)/
/** What a link says of a page; no browser loads what it names and runs it. */
const LINKS_ONLY =
  /\srel\s{0,4}=\s{0,4}["']?(?:canonical|(?:shortcut )?icon|alternate|next|prev(?:ious)?|start|up|top|home|contents|index|glossary|copyright|chapter|section|help|bookmark|author|license|search|me|shortlink|amphtml|manifest|mask-icon|apple-touch-icon(?:-precomposed)?|preconnect|dns-prefetch|pingback|edituri|archives|webmention|profile)["'\s>]/
/** Libraries as everybody loads them, from where nobody else can put one. */
const LIBRARY_SCRIPT =
  /^<script(?:\s{1,40}(?:async|defer|type=["']text\/javascript["']|crossorigin=["']anonymous["']|integrity=["'][\w+/=-]{1,120}["'])){0,4}\s{1,40}src=["'](?:https?:)?\/\/(?:ajax\.googleapis\.com\/ajax\/libs\/(?:jquery|jqueryui|webfont)|code\.jquery\.com|cdnjs\.cloudflare\.com\/ajax\/libs\/(?:jquery|mathjax|highlight\.js|prism|d3|moment\.js))\/[\w./-]{1,80}["'](?:\s{1,40}(?:async|defer|type=["']text\/javascript["']|crossorigin=["']anonymous["']|integrity=["'][\w+/=-]{1,120}["'])){0,4}\s{0,40}>/
/** What sites give out to embed a post, a form or a recording of theirs. */
const EMBEDDING_SCRIPT =
  /^<script(?:\s{1,40}(?:(?:async|defer)(?:="(?:async|defer)?")?|type="text\/javascript"|charset="utf-8"|id="[\w-]{1,64}"|data-[\w-]{1,32}="[\w .:/-]{0,80}")){0,6}\s{1,40}src="(?:https?:)?\/\/(?:platform\.(?:twitter|x)\.com\/widgets\.js|(?:www\.)?(?:instagram|tiktok)\.com\/embed\.js|embed\.reddit(?:media)?\.com\/widgets(?:\/platform)?\.js|gist\.github\.com\/[\w-]{1,40}\/[0-9a-f]{1,40}\.js|(?:cpwebassets|static)\.codepen\.io\/assets\/embed\/ei\.js|embedr\.flickr\.com\/assets\/client-code\.js|s\.imgur\.com\/min\/embed\.js|assets\.pinterest\.com\/js\/pinit\.js|embed\.typeform\.com\/next\/embed\.js|assets\.calendly\.com\/assets\/external\/widget\.js|asciinema\.org\/a\/\w{1,40}\.js|telegram\.org\/js\/telegram-widget\.js\?\d{1,3}|fast\.wistia\.(?:com|net)\/assets\/external\/e-v1\.js|js\.hsforms\.net\/forms\/(?:embed\/)?v2\.js)"(?:\s{1,40}(?:(?:async|defer)(?:="(?:async|defer)?")?|type="text\/javascript"|charset="utf-8"|id="[\w-]{1,64}"|data-[\w-]{1,32}="[\w .:/-]{0,80}")){0,6}\s{0,40}>/
/** A script of the same site by its path, and nothing else in its tag. */
const LOCAL_SCRIPT =
  /^<script(?:\s{1,40}(?:async|defer|type="(?:text\/javascript|module)"|charset="[\w-]{1,16}"|(?:async|defer)="[a-z]{0,5}")){0,4}\s{1,40}src=(?:"(?:\.{0,2}\/)?[\w@.-]{1,80}(?:\/[\w@.-]{1,80}){0,10}\.m?js"|'(?:\.{0,2}\/)?[\w@.-]{1,80}(?:\/[\w@.-]{1,80}){0,10}\.m?js')(?:\s{1,40}(?:async|defer|type="(?:text\/javascript|module)"|charset="[\w-]{1,16}")){0,4}\s{0,40}>/
/** Data that a search engine or the page's own script reads; no browser runs it. */
const DATA_SCRIPT =
  /^<script(?:\s{1,8}(?:id|class|nonce|data-[\w-]{1,32})=["'][\w -]{0,64}["']){0,4}\s{1,8}type=(?:"application\/(?:ld\+)?json"|'application\/(?:ld\+)?json')(?:\s{1,8}(?:id|class|nonce|data-[\w-]{1,32})=["'][\w -]{0,64}["']){0,4}\s{0,8}>/
/** A link that a script of the page listens to, and that leads nowhere by itself. */
const IDLE_URL = /^javascript:(?:void\(0?\))?;?["']?$/
/** What browsers skip inside a URL's scheme. */
const IGNORED = /[\u0000-\u0020\u00a0\u2028\u2029]{1,64}/g

/**
 * Reads the tags of a text as a browser would: any of space, `/` and control characters between attributes,
 * quotes optional, the last tag perhaps
 * unclosed. Tells elements that run code, event handlers with a value, URLs with a scheme that runs code,
 * and styles that do. Linear: a tag is followed for at most 1,024
 * characters, and the next is looked for behind it.
 */
export class MarkupLexer {
  /** Behind the last tag. */
  #tagEnd = 0
  /** Whether another tag stands inside the quotes of the last one. */
  #isTagInQuotes = false
  /**
   * What the element weighs that an unclosed tag before belongs to: a browser takes `<iframe <a src=x>` for
   * one tag.
   */
  #outer = 0

  /** The strongest sign of markup that runs; undefined when there is none. */
  find(reading: Reading): Span | undefined {
    const { lower } = reading
    let best: Span | undefined
    this.#outer = 0
    let work = 0
    let at = lower.indexOf('<')
    while (at >= 0) {
      const found = this.#readTag(lower, at, this.#outer)
      if (found !== undefined && (best === undefined || weightOf(found) > weightOf(best))) best = found
      if (best !== undefined && weightOf(best) >= 6) return best
      work += this.#tagEnd - at
      if (work > lower.length * MAX_REREADS + MAX_TAG)
        return { start: at, end: at + 1, score: 10, id: 'bounds/effort' }
      // A parser of another state sees a tag where this one sees the inside of quotes.
      at = lower.indexOf('<', this.#isTagInQuotes ? at + 1 : Math.max(at + 1, this.#tagEnd))
    }
    return best
  }

  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over a tag as a tokenizer of HTML makes it; its states share where they stand.
  #readTag(lower: string, start: number, carried: number): Span | undefined {
    this.#outer = 0
    this.#isTagInQuotes = false
    this.#tagEnd = start + 1
    let at = start + 1
    while (charCodeAt.call(lower, at) <= 31 || charCodeAt.call(lower, at) === 47) at++
    if (!isLetter(charCodeAt.call(lower, at))) return undefined
    const nameStart = at
    this.#tagEnd = at
    while (isNameCode(charCodeAt.call(lower, at)) && at - nameStart < LONGEST_ELEMENT) at++
    let name = lower.slice(nameStart, at)
    const prefix = name.indexOf(':')
    if (prefix >= 0) name = name.slice(prefix + 1)
    const closing = charCodeAt.call(lower, start + 1) === 47
    this.#tagEnd = at
    const presence = closing ? 0 : Math.max(carried, ELEMENTS.get(name) ?? 0)
    // Only a script runs by being there; the others load what an attribute names, and text has `<object>` and
    // `<Frame>`.
    let score = presence >= 6 ? (hasScript(lower, at) ? presence : 4) : 0
    let id = 'xss/element'
    let isPlayer = false
    const limit = Math.min(lower.length, start + MAX_TAG)
    for (let n = 0; n < MAX_ATTRIBUTES && at < limit; n++) {
      while (at < limit && isSeparator(charCodeAt.call(lower, at))) at++
      const code = charCodeAt.call(lower, at)
      if (code === 62 || at >= limit) break
      // The next tag is read where it starts, so that each character is read for one tag.
      if (code === 60 && isLetter(charCodeAt.call(lower, at + 1))) {
        this.#outer = presence
        this.#tagEnd = at
        return ended(lower, name, closing, start, at, score, id, isPlayer)
      }
      const from = at
      while (
        at < limit &&
        !isSeparator(charCodeAt.call(lower, at)) &&
        charCodeAt.call(lower, at) !== 61 &&
        charCodeAt.call(lower, at) !== 62
      )
        at++
      const attribute = lower
        .slice(from, Math.min(at, from + LONGEST_ATTRIBUTE))
        .replace(/^["'`%\d]{1,8}/, '')
      let mark = at
      while (mark < limit && charCodeAt.call(lower, mark) <= 32) mark++
      if (charCodeAt.call(lower, mark) !== 61) {
        if (at === from) at++
        continue
      }
      at = mark + 1
      while (at < limit && charCodeAt.call(lower, at) <= 32) at++
      const valueStart = at
      if (presence > score) score = presence
      at = this.#skipValue(lower, at, limit)
      const value = lower.slice(valueStart, Math.min(at, valueStart + LONGEST_VALUE))
      if ((name === 'iframe' || name === 'embed') && attribute === 'src') isPlayer = PLAYERS.test(value)
      const kind = attributeScore(name, attribute, value)
      if (kind !== undefined && kind.score > score) {
        score = kind.score
        id = kind.id
      }
      if (score >= 6) break
    }
    this.#tagEnd = Math.max(this.#tagEnd, at)
    return ended(lower, name, closing, start, Math.min(at + 1, lower.length), score, id, isPlayer)
  }

  #skipValue(lower: string, start: number, limit: number): number {
    const quote = charCodeAt.call(lower, start)
    if (quote === 34 || quote === 39 || quote === 96) {
      const close = lower.indexOf(String.fromCharCode(quote), start + 1)
      const end = close < 0 || close > limit ? limit : close + 1
      const tag = lower.indexOf('<', start)
      if (tag >= 0 && tag < end) this.#isTagInQuotes = true
      return end
    }
    let at = start
    while (at < limit && charCodeAt.call(lower, at) > 32 && charCodeAt.call(lower, at) !== 62) at++
    return at
  }
}

/** What counts less in some settings must not hide what counts in all. */
function weightOf({ score = 0, bare }: Span): number {
  return bare === true ? Math.min(score, MAX_BARE) : score
}

function isLetter(code: number): boolean {
  return code >= 97 && code <= 122
}

function ended(
  lower: string,
  name: string,
  closing: boolean,
  start: number,
  end: number,
  score: number,
  id: string,
  isPlayer: boolean,
): Span | undefined {
  if (isPlayer && id === 'xss/element') return undefined
  const found = name === 'script' && closing ? 4 : score
  if (found === 0) return undefined
  const isElement = id === 'xss/element'
  if (isElement && name === 'link' && LINKS_ONLY.test(lower.slice(start, end))) return undefined
  if (isElement && name === 'script' && DATA_SCRIPT.test(lower.slice(start, start + MAX_TAG)))
    return undefined
  // The tag may go on behind what was read of it.
  if (isElement && name === 'script' && isKnownScript(lower.slice(start, start + MAX_TAG)))
    return { start, end, score: found, id, bare: true }
  return { start, end, score: found, id }
}

function isKnownScript(tag: string): boolean {
  return LOCAL_SCRIPT.test(tag) || LIBRARY_SCRIPT.test(tag) || EMBEDDING_SCRIPT.test(tag)
}

/** Of a script: an attribute, a call, an assignment, a template, its end. */
const RUNNING = /^[^>]{0,128}=|[\w\])>]\s?\(|[^\s]=|`|<\/script|^[^>]{0,64}>\s{0,8}\(/

/** Whether a script element names or holds anything that runs: `how to use the <script> tag` does not. */
function hasScript(lower: string, from: number): boolean {
  return RUNNING.test(lower.slice(from, from + SCRIPT_REACH))
}

function isNameCode(code: number): boolean {
  return isLetter(code) || (code >= 48 && code <= 57) || code === 45 || code === 58 || code === 95
}

function isSeparator(code: number): boolean {
  return code <= 32 || code === 47 || code === 160
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a list of attributes that run something, each with what makes it idle; none calls another.
function attributeScore(
  element: string,
  attribute: string,
  value: string,
): { id: string; score: number } | undefined {
  if (HANDLER.test(attribute)) {
    return IDLE.test(value) ? undefined : { id: 'xss/handler', score: value.length > 0 ? 6 : 5 }
  }
  const isTelling = TELLING.has(attribute) || DIRECTIVE.test(attribute)
  // An animation that writes a handler.
  if (attribute === 'attributename' && /^["'`]?on[a-z]{3,40}\b/.test(value))
    return { id: 'xss/handler', score: 6 }
  if (!isTelling && !mayBeScheme(value)) return undefined
  const compact = value.replace(IGNORED, '').replace(/^["'`]/, '')
  // An image does not run what is in it.
  const isPicture = element === 'img' && compact.startsWith('data:image/')
  if (IDLE_URL.test(compact)) return undefined
  if (!isPicture && DANGEROUS_URL.test(compact) && !compact.startsWith('data:,') && isUrlScheme(compact))
    return { id: 'xss/script-url', score: 6 }
  if (DIRECTIVE.test(attribute) && RUNS.test(compact)) return { id: 'xss/handler', score: 6 }
  if (attribute === 'srcdoc') return { id: 'xss/script-url', score: 6 }
  if (
    attribute === 'style' &&
    DANGEROUS_STYLE.test(compact.replaceAll(/\/\*.{0,32}?\*\//g, '').replaceAll('\\', ''))
  ) {
    return { id: 'xss/style', score: 6 }
  }
  if (attribute === 'xlink:href' && (takesIn(element) ? REMOTE : ENCLOSED).test(compact))
    return { id: 'xss/script-url', score: 5 }
  if (element === 'link' && attribute === 'type' && compact.includes('script'))
    return { id: 'xss/element', score: 5 }
  if (element === 'link' && attribute === 'href' && FOREIGN.test(compact))
    return { id: 'xss/element', score: 5 }
  if (
    element === 'meta' &&
    attribute === 'http-equiv' &&
    !/^(?:content-type|content-language|x-ua-compatible)\b/.test(compact)
  )
    return { id: 'xss/element', score: 5 }
  if (element === 'meta' && (attribute === 'charset' || attribute === 'content') && /utf-?7/.test(compact))
    return { id: 'xss/element', score: 5 }
  if (element === 'base' && attribute === 'href') return { id: 'xss/element', score: 5 }
  if (element === 'form' && attribute === 'action' && /^(?:https?:)?\/\//.test(compact))
    return { id: 'xss/element', score: 5 }
  if (attribute === 'formaction') return { id: 'xss/element', score: 5 }
  if (attribute === 'dataformatas' || attribute === 'datasrc' || attribute === 'allowscriptaccess')
    return { id: 'xss/element', score: 5 }
  return undefined
}

/**
 * Elements of a drawing that take in what they refer to (SVG 1.1 chapters 5 and 10 to 20, SVG Tiny 1.2). All
 * others link to it or show it as a picture, or are of another language (GML, the interface of PrestaShop).
 */
const TAKING_IN: ReadonlySet<string> = new Set([
  ...['use', 'script', 'handler', 'listener', 'animation', 'foreignobject', 'prefetch', 'discard'],
  ...['animate', 'animatemotion', 'animatetransform', 'animatecolor', 'set', 'mpath'],
  ...['tref', 'textpath', 'altglyph', 'glyphref', 'font-face-uri', 'color-profile', 'cursor'],
  ...['lineargradient', 'radialgradient', 'pattern', 'filter', 'audio', 'video', 'svg', 'math'],
])

function takesIn(element: string): boolean {
  return TAKING_IN.has(element.slice(element.lastIndexOf(':') + 1))
}

const ENCLOSED = /^data:(?!image\/(?:png|jpe?g|gif|webp|avif)[;,])/
const REMOTE = /^(?:https?:)?\/\/|^data:/

/** Attributes that say something whatever their value begins with. */
const TELLING: ReadonlySet<string> = new Set([
  'srcdoc',
  'style',
  'xlink:href',
  'type',
  'href',
  'http-equiv',
  'charset',
  'content',
  'action',
  'formaction',
  'dataformatas',
  'datasrc',
  'allowscriptaccess',
])

/** Whether a value may begin with a scheme that runs: by its first letter, behind what browsers skip. */
function mayBeScheme(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = charCodeAt.call(value, at)
    if (code >= 97 && code <= 122) return FIRST_OF_SCHEME.has(code)
    if (code > 32 && code < 128 && !SKIPPED.has(code)) return false
  }
  return false
}

/** Of `javascript`, `vbscript`, `livescript`, `mocha`, `mhtml`, `data`. */
const FIRST_OF_SCHEME: ReadonlySet<number> = new Set([...'jvlmd'].map(letter => letter.charCodeAt(0)))
/** Quotes, and references that nobody undid. */
const SKIPPED: ReadonlySet<number> = new Set([...'"\'`&;0123456789'].map(sign => sign.charCodeAt(0)))

/** `javascripting` is a word, `javascript:` and `javascript&colon;` are schemes. */
function isUrlScheme(compact: string): boolean {
  return /^["'`]{0,2}(?:&\d{1,3};)?(?:data:|[a-z]{4,12}(?:[:#]|&(?:colon|#))|mhtml)/.test(compact)
}
