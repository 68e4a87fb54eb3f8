// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
/** A string, its quotes included; no two parts of it begin alike, so that it is linear. */
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/**
 * Whether a text is JSON to its last character (RFC 8259), as `JSON.parse` tells it. For short texts: the
 * exception that the parser throws at anything else takes several times as long.
 */
export function isShortJson(text: string): boolean {
  const end = valueEnd(text, 0)
  return end >= 0 && behindSpace(text, end) === text.length
}

/** Where a value ends that begins behind white space at `from`; -1 where none does. */
function valueEnd(text: string, from: number): number {
  const at = behindSpace(text, from)
  switch (charCodeAt.call(text, at)) {
    case QUOTE:
      return endOf(STRING, text, at)
    case OPEN_LIST:
      return listEnd(text, at + 1)
    case OPEN_OBJECT:
      return objectEnd(text, at + 1)
    default:
      return endOf(SCALAR, text, at)
  }
}

function listEnd(text: string, from: number): number {
  const first = behindSpace(text, from)
  if (charCodeAt.call(text, first) === CLOSE_LIST) return first + 1
  for (let start = from; ; ) {
    const end = valueEnd(text, start)
    if (end < 0) return -1
    const sign = behindSpace(text, end)
    const code = charCodeAt.call(text, sign)
    if (code === CLOSE_LIST) return sign + 1
    if (code !== COMMA) return -1
    start = sign + 1
  }
}

function objectEnd(text: string, from: number): number {
  const first = behindSpace(text, from)
  if (charCodeAt.call(text, first) === CLOSE_OBJECT) return first + 1
  for (let start = from; ; ) {
    const name = endOf(STRING, text, behindSpace(text, start))
    const colon = name < 0 ? -1 : behindSpace(text, name)
    if (colon < 0 || charCodeAt.call(text, colon) !== COLON) return -1
    const end = valueEnd(text, colon + 1)
    if (end < 0) return -1
    const sign = behindSpace(text, end)
    const code = charCodeAt.call(text, sign)
    if (code === CLOSE_OBJECT) return sign + 1
    if (code !== COMMA) return -1
    start = sign + 1
  }
}

function endOf(token: RegExp, text: string, at: number): number {
  token.lastIndex = at
  return token.test(text) ? token.lastIndex : -1
}

function behindSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = charCodeAt.call(text, at)
    if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return at
    at++
  }
}
