import { decodeBytes } from './text.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const INVISIBLE = /[\u0000\u00ad\u200b-\u200f\u2028\u2029\u2060\ufeff]/g
/** Signs that servers of old map to a slash or a backslash. */
const SLASHES = /[\u2044\u2215\u2216\u29f5\u29f8\u29f9]/
const CASED = /[\u0130\u0131\u017f]/
/** Everything but ASCII and the letters of Western Europe, which folding leaves as they are. */
const FOLDED = /[^\u0001-\u007f\u00c0-\u00ff]/
const FOREIGN = /[^\u0000-\u007f]/
/**
 * First bytes that take the backslash before a quote with them in some encodings (GBK: `%bf%5c`), all at
 * once: texts in another encoding end in many of them.
 */
const TAKES_NEXT = /[\u00bf\ufffd]{1,}/g
const QUOTES = '\'"'

/**
 * What a text becomes where width, look or invisible characters are ignored: compatibility forms folded
 * (Unicode NFKC: `＜` is `<`), typographic quotes and the angle brackets of old code pages (`¼script¾`, `‹`,
 * `〈`) made plain, NUL, zero-width characters and bytes that take an escaping backslash with them dropped.
 */
export function foldText(text: string): string {
  if (!FOLDED.test(text)) return text
  // U+560A and U+560D become LF and CR where a server keeps the low byte only.
  let folded = unmixed(text)
    .replace(INVISIBLE, '')
    .replace(TAKES_NEXT, beforeQuote)
    .replaceAll('\u560a', '\n')
    .replaceAll('\u560d', '\r')
  if (!FOREIGN.test(folded)) return folded
  folded = folded.normalize('NFKC')
  if (folded.includes('1⁄4'))
    folded = folded.replaceAll('1⁄4', '<').replaceAll('3⁄4', '>').replaceAll('¢', '"')
  if (SLASHES.test(folded))
    folded = folded.replace(/[\u2044\u2215\u29f8]/g, '/').replace(/[\u2216\u29f5\u29f9]/g, '\\')
  // Letters that become plain ones in the other case: `ſcript`, `scrıpt`.
  if (CASED.test(folded)) folded = folded.replace(/[\u0130\u0131]/g, 'i').replaceAll('\u017f', 's')
  return folded.replace(
    /[\u2018\u2019\u02b9\u02bc\u2032\u201c\u201d\u2033\u2039\u203a\u3008\u3009\u2329\u232a]/g,
    plain,
  )
}

/** Nothing where a quote follows, and the run as it is elsewhere. */
function beforeQuote(run: string, at: number, text: string): string {
  const next = text.charAt(at + run.length)
  return next !== '' && QUOTES.includes(next) ? '' : run
}

/** What is wider than a byte. */
const WIDER = /[^\u0000-\u00ff]/

/** The text behind bytes that were read one by one, as Node.js reads a header. */
function unmixed(text: string): string {
  return WIDER.test(text) ? text : decodeBytes(Buffer.from(text, 'latin1'))
}

function plain(character: string): string {
  const code = charCodeAt.call(character, 0)
  if (code === 0x201c || code === 0x201d || code === 0x2033) return '"'
  if (code === 0x2039 || code === 0x3008 || code === 0x2329) return '<'
  if (code === 0x203a || code === 0x3009 || code === 0x232a) return '>'
  return "'"
}
