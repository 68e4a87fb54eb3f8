import { decodeBase64 } from '../canonicalise/base64.ts'
import { mayBeCodedFile } from '../canonicalise/coded-file.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import { isSerialisedObject } from '../lex/serialised-object.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import type { Rule } from '../rule/rule.ts'
import { findUnsignedToken } from '../rules/objects.ts'
import { ownRules } from '../rules/own-rules.ts'
import { isToken } from '../text/token-text.ts'
import { CHAR, scanFeatures, seen } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** What holds opaque values together, beside letters, digits and what opens no rule (`_`, `-`, `.`). */
const SIGNS = CHAR.slash | CHAR.colon | CHAR.plus | CHAR.space | CHAR.base64 | CHAR.percent | CHAR.at
/** Words that the rules opened by a sign look for. */
const TELLING = WORD.script | WORD.lookup | WORD.host | WORD.header
/** Encodings inside each other that are undone here; deeper ones are for the full look. */
const MAX_DECODINGS = 3
const LONGEST = 512

/** Where programs lie. */
const PROGRAM = /^\s{0,4}(?:\/usr(?:\/local)?)?\/s?bin\//i
/** Dots, line ends, what ends a path, and letters, encoded; directions for formatting. */
const HIDDEN =
  /%(?:[spxnugi]|[dcef](?![\da-f])|\d{1,3}\$|\.\d|\d{4,10}[sdxunfc]|2e|23|3f|0[9ad]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/i
/** Files of servers. */
const SERVER_FILE = /\.(?:ini|cnf|conf)|[._]log|tmp|ftp|metabase|vmcore|sh_history|hostname\./i
/** A port that is not written in digits alone, or with more of them than there are. */
const ODD_PORT = /:(?:\+|0{1,3}\d{5})/
const UTF7 = /\+ad[w4]-/i
const SERIALISED = /ro0ab|kztaau|cs7qaf|aced0005|^gas|^bah|aaeaaad|node-serialize/i
/**
 * The rules that a sign opens by itself, each with the reason why it finds nothing in an opaque value. A
 * rule that is not in this list
 * switches the shortcut off until somebody has looked at it.
 */
export const REVIEWED: Readonly<Record<string, string>> = {
  'xss/script-url':
    'javascript, vbscript and livescript are telling words; letters spread out before a colon are not opaque',
  'xss/script-word': 'as xss/script-url',
  'xss/broken-scheme': 'needs a tab or a line end',
  'xss/data-url': 'data is a telling word',
  'session/unsigned-token': 'a token that nobody signed is telling',
  'template/jndi': 'needs a dollar',
  'template/lookup': 'jndi is a telling word; the rest needs a dollar',
  'rce/glob': 'needs a question mark or a bracket',
  'traversal/encoded-steps':
    'needs two dots in a row, wide or control characters, or 0x; what is encoded is undone and looked at again',
  'traversal/application-root': 'needs a tilde, or two dots in a row',
  'traversal/root-escape': 'needs two dots in a row, a backslash, or dots spelled out',
  'crlf/body-header': 'needs a line end, or http, which is a telling word',
  'ssrf/loopback': 'needs two slashes in a row',
  'xss/unicode-markup': 'needs a bracket, an ampersand, or UTF-7',
  'rce/program': 'a path to a program is telling',
  'rce/tilde': 'needs a tilde',
  'traversal/twice-encoded-letter': 'a percent sign that is encoded is telling',
  'traversal/null-byte': 'what %00 stands for is a control character',
  'code/ruby-command': 'needs a bracket, a brace or a parenthesis',
  'template/arithmetic': 'needs a brace, a bracket or a parenthesis',
  'template/object': 'needs a brace or a bracket',
  'traversal/hidden-segment': 'what it looks for in its encoding is telling',
  'deserialisation/bytes': 'such objects are telling',
  'deserialisation/java': 'serialised objects begin in ways of their own',
  'deserialisation/python': 'serialised objects begin in ways of their own',
  'deserialisation/ruby': 'serialised objects begin in ways of their own',
  'traversal/odd-segment':
    'needs a semicolon, a page of a server, or what is telling: an encoded letter, a leading /./',
  'ssrf/disguised-host': 'needs a backslash, a tab, or two slashes in a row',
  'ssrf/odd-address': 'needs two slashes in a row, a backslash, or a line end; a scheme is a telling word',
  'ssrf/odd-redirect': 'needs two slashes in a row, a backslash, a line end, or a wide character',
  'ssrf/target-host': 'needs two slashes in a row, or a control character',
  'ssrf/path-host':
    'needs a backslash or two slashes in a row; what is encoded is undone and looked at again',
  'probe/hidden-question': 'a question mark is telling, also one that is encoded',
  'traversal/hidden-step': 'a dot that is encoded is telling, and so is what stands for a control character',
  'probe/format': 'directions for formatting are telling',
  'probe/format-run': 'as probe/format',
  'crlf/nested-break': 'an encoded line end is telling',
  'traversal/server-path': 'the name of such a file is telling',
  'nosqli/secret-term': 'needs a tilde, or a sign that no opaque value has',
  'traversal/whole-file': 'needs a tilde, a backslash, two slashes in a row, or file:, which is telling',
  'rce/windows-cut': 'needs a tilde',
  'xss/joined-scheme': 'needs a quote',
  'ssrf/odd-part': 'needs two slashes in a row; odd ports are telling',
  'ssrf/split-host': 'needs two slashes in a row',
  'rfi/network-path': 'needs two slashes in a row, or a backslash',
  'traversal/encoded-dots': 'a dot that is encoded is telling',
  'traversal/coded-step': 'needs two dots in a row',
  'probe/encoded-letters': 'a letter that is encoded is telling, and so is a percent sign',
  'upload/file-name': 'only looks at file names',
  'upload/file-name-plain': 'only looks at file names',
}

/**
 * Tells values that no rule can find anything in, though they hold signs that open rules: paths, times,
 * mail addresses, session cookies with
 * their signatures, encoded or not. The same texts are read as in a full look, undone encoding by encoding,
 * but each is only
 * held against what the opened rules cannot do without, and no rule is run.
 */
export class OpaqueValues {
  readonly #rules: RuleSet
  readonly #isReviewed: boolean

  constructor(rules: RuleSet) {
    this.#rules = rules
    this.#isReviewed = rules.rules.every(isReviewed)
  }

  /**
   * Whether a text is such a value; not for file names, whose rules look at every text.
   * @param chars of the text, as scanned
   * @param words of the text, as scanned
   */
  has(text: string, chars: number, words: number): boolean {
    if (!this.#isReviewed || text.length > LONGEST) return false
    let reading = text
    let signs = chars
    let known = words
    for (let decodings = 0; decodings <= MAX_DECODINGS; decodings++) {
      if ((signs & ~SIGNS) !== 0 || (known & TELLING) !== 0 || !this.#rules.isClear(0, known)) return false
      if ((signs & CHAR.space) !== 0 && (known & WORD.spaced) !== 0) return false
      if (isTelling(reading, signs)) return false
      const decoded = decodedOnce(reading, signs)
      if (decoded === reading) return true
      reading = decoded
      scanFeatures(reading, 0, reading.length)
      signs = seen.chars
      known = seen.words
    }
    return false
  }
}

function isReviewed(rule: Rule): boolean {
  const opensByItself = rule.words === 0 && (rule.chars === 0 || (rule.chars & SIGNS) !== 0)
  return !opensByItself || (Object.hasOwn(REVIEWED, rule.id) && ownRules.includes(rule))
}

/** Whether a reading has what a rule behind one of its signs needs besides. */
function isTelling(text: string, signs: number): boolean {
  if (isToken(text)) return true
  if (text.includes('?') || text.includes('~') || text.includes('%25')) return true
  if ((signs & CHAR.percent) !== 0 && HIDDEN.test(text)) return true
  if ((signs & CHAR.slash) !== 0 && isTellingPath(text)) return true
  if ((signs & CHAR.plus) !== 0 && UTF7.test(text)) return true
  if ((signs & CHAR.colon) !== 0 && (isSpreadOut(text) || ODD_PORT.test(text))) return true
  return (signs & CHAR.base64) !== 0 && isTellingCode(text)
}

/** Of a value that may be base64. */
function isTellingCode(text: string): boolean {
  if (findUnsignedToken(text) !== undefined || SERIALISED.test(text) || mayBeCodedFile(text)) return true
  return isSerialisedObject(text) || decodeBase64(text) !== undefined
}

/** Of a value with a slash. */
function isTellingPath(text: string): boolean {
  if (text.includes('//') || text.includes('0x') || text.includes('0X')) return true
  return PROGRAM.test(text) || SERVER_FILE.test(text) || text.startsWith('/./') || text.includes('file:')
}

/** Whether there is space, or what may stand for it, before the last colon: `j a v a script:`. */
function isSpreadOut(text: string): boolean {
  const gap = text.search(/[\s+]/)
  return gap >= 0 && gap < text.lastIndexOf(':')
}

/** What a full look would read next. */
function decodedOnce(text: string, signs: number): string {
  const plusIsSpace = (signs & (CHAR.plus | CHAR.space)) === CHAR.plus
  if ((signs & CHAR.percent) !== 0) return decodeUrl(text, plusIsSpace)
  return plusIsSpace ? text.replaceAll('+', ' ') : text
}
