import { CharacterCodes } from '../character-codes.ts'
import { HASH_SEED, hashStep } from '../words.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Kinds of token. Quotes are tokens of their own: whether text lies inside or outside a string is what
 * injection is about.
 */
export const SQL = {
  end: 0,
  number: 1,
  word: 2,
  apostrophe: 3,
  quote: 4,
  backtick: 5,
  variable: 6,
  operator: 7,
  compare: 8,
  open: 9,
  close: 10,
  comma: 11,
  semicolon: 12,
  /** `--`, `#` or an unclosed comment: the rest of the statement is gone. */
  comment: 13,
  dot: 14,
  /** `||` or `&&`. */
  logic: 15,
  other: 16,
} as const

/** What a word means to the grammar; 0 is a plain identifier. */
export const KEY = {
  none: 0,
  select: 1,
  union: 2,
  logic: 3,
  /** `like`, `between`, `in`, `is`, `rlike`, `regexp`, `div`, `mod`, `sounds`, `not`. */
  test: 4,
  from: 5,
  where: 6,
  statement: 7,
  order: 8,
  by: 9,
  into: 10,
  literal: 11,
  not: 12,
  caseWhen: 13,
  end: 14,
  all: 15,
  limit: 16,
  having: 17,
  as: 18,
  /** Functions that only make sense inside a query. */
  probe: 19,
  /** Articles, pronouns and prepositions: no one names a column so, everyone writes them in a sentence. */
  english: 20,
  procedure: 21,
  exists: 22,
  /** `table`, `database`, `function` ... after `drop`. */
  object: 23,
  /** Functions that many languages have. */
  common: 24,
  set: 25,
  values: 26,
  collate: 27,
} as const

const KEYWORDS: readonly (readonly [number, string])[] = [
  [KEY.select, 'select'],
  [KEY.union, 'union except intersect'],
  [KEY.logic, 'or and xor'],
  [KEY.test, 'like between in is rlike regexp glob ilike div mod sounds similar'],
  [KEY.not, 'not binary'],
  [KEY.from, 'from'],
  [KEY.where, 'where on using'],
  [
    KEY.statement,
    'insert update delete drop alter create truncate replace exec execute declare waitfor merge call shutdown grant revoke rename handler load begin ' +
      'commit rollback if iif print backup restore dbcc use kill copy do attach prepare',
  ],
  [KEY.order, 'order group'],
  [KEY.by, 'by'],
  [KEY.into, 'into outfile dumpfile'],
  [
    KEY.literal,
    'null true false current_user session_user system_user user localtime current_timestamp dual',
  ],
  [KEY.caseWhen, 'case when'],
  [KEY.end, 'end'],
  [KEY.all, 'all distinct distinctrow'],
  [KEY.limit, 'limit offset fetch'],
  [KEY.having, 'having'],
  [KEY.as, 'as'],
  [KEY.procedure, 'procedure'],
  [KEY.exists, 'exists any some'],
  [KEY.object, 'table database function view index procedures trigger schema column'],
  [KEY.set, 'set'],
  [KEY.values, 'values'],
  [KEY.collate, 'collate'],
  [
    KEY.probe,
    'sleep benchmark pg_sleep concat_ws group_concat unhex extractvalue updatexml elt make_set randomblob zeroblob row_count load_file sqlite_version ' +
      'regexp_substring crypt_key generate_series xp_cmdshell xp_dirtree xp_regread sp_executesql openrowset opendatasource json_keys json_extract json_depth json_value ' +
      'aes_decrypt aes_encrypt name_const last_insert_id is_srvrolemember fn_varbintohexstr pg_read_file lo_import string_agg sysdate db_name schema_name ' +
      'ascii substr substring mid ord chr char hex md5 sha1 concat cast convert coalesce nullif ifnull version database count user row_number exp json_length ' +
      'dbms_pipe dbms_lock utl_http utl_inaddr ctxsys xmltype uncompress compress unistr jsonb_pretty pg_cancel_backend load_extension find_in_set gtid_subset gtid_subtract st_latfromgeohash ' +
      'json_type to_char bitand dbms_utility dblink dblink_connect lo_export pg_ls_dir pg_sleep_for query_to_xml database_to_xml sys_eval sys_exec httpuritype',
  ],
  [
    KEY.common,
    'length len rand floor round abs lower upper left right repeat reverse trim y x pow cos sin tan encode decode now if iif',
  ],
  [
    KEY.english,
    'the a an your our this that these those my his her its their to of for with at i you we they he she it will would should could can may might must ' +
      'please than then some which what who how more most very only also just one two three be been are was were has have had do does did',
  ],
]

/** As many as a window has characters, so that no text ends before its tokens do. */
export const MAX_TOKENS = 8_192

/** The tokens of one text. Buffers are shared: read them before the next `tokenize`. */
export const kinds: Uint8Array = new Uint8Array(MAX_TOKENS + 1)
export const keys: Uint8Array = new Uint8Array(MAX_TOKENS + 1)
export const starts: Int32Array = new Int32Array(MAX_TOKENS + 1)
export const ends: Int32Array = new Int32Array(MAX_TOKENS + 1)

const SLOTS = 1_024
const hashes = new Int32Array(SLOTS)
const meanings = new Uint8Array(SLOTS)
for (const [key, list] of KEYWORDS) {
  for (const word of list.split(' ')) {
    let hash = HASH_SEED
    for (let i = 0; i < word.length; i++) hash = hashStep(hash, charCodeAt.call(word, i))
    let slot = hash & (SLOTS - 1)
    while (hashes[slot] !== 0 && hashes[slot] !== hash) slot = (slot + 1) & (SLOTS - 1)
    if (hashes[slot] === 0) meanings[slot] = key
    hashes[slot] = hash
  }
}

/** What a word means, by its hash. */
function keyOf(hash: number): number {
  for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
    const known = hashes[slot]
    if (known === hash) return meanings[slot] as number
    if (known === 0) return KEY.none
  }
}

const copied = new CharacterCodes()
let count = 0

function push(kind: number, start: number, end: number, key: number): void {
  kinds[count] = kind
  keys[count] = key
  starts[count] = start
  ends[count] = end
  count++
}

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || code > 127
}

/**
 * Cuts lower-case text into SQL tokens, the way MySQL, PostgreSQL, SQL Server, Oracle and SQLite agree on
 * and a little beyond: `/*!50000 x*\/` is `x`, closed
 * comments are white space, `1from` is two tokens. Reads at most 8,192 tokens, which is what a window can
 * hold. Linear.
 * @returns how many tokens were written; the one after is `SQL.end`
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over every character; a function for each token costs more than the token.
export function tokenizeSql(lower: string): number {
  const codes = copied.copy(lower, 0, lower.length)
  count = 0
  let at = 0
  let conditional = 0
  let isUnclosed = false
  while (at < lower.length && count < MAX_TOKENS) {
    const code = codes[at] as number
    const next = codes[at + 1] as number
    if (code <= 32 || code === 160) at++
    else if (code >= 48 && code <= 57) at = readNumber(codes, at)
    else if (code === 46 && next >= 48 && next <= 57 && lastKind() !== SQL.word) at = readNumber(codes, at)
    else if (isWordCode(code)) at = readWord(codes, at)
    else if (code === 64) at = readVariable(codes, at)
    else if (code === 47 && next === 42) {
      if ((codes[at + 2] as number) === 33) {
        conditional++
        at += 3
        while ((codes[at] as number) >= 48 && (codes[at] as number) <= 57) at++
        continue
      }
      // Looked for once: a text full of open comments would otherwise be read to its end for each.
      const close = isUnclosed ? -1 : lower.indexOf('*/', at + 2)
      if (close < 0) {
        isUnclosed = true
        push(SQL.comment, at, at + 2, 0)
        at += 2
      } else at = close + 2
    } else if (code === 42 && next === 47) {
      if (conditional > 0) conditional--
      at += 2
    } else if (code === 45 && next === 45) {
      push(SQL.comment, at, at + 2, 0)
      at += 2
    } else if (code === 35) {
      push(SQL.comment, at, at + 1, 0)
      at++
    } else at = readSign(codes, at, code, next)
  }
  kinds[count] = SQL.end
  keys[count] = 0
  starts[count] = lower.length
  ends[count] = lower.length
  return count
}

function lastKind(): number {
  return count === 0 ? SQL.end : (kinds[count - 1] as number)
}

function readNumber(codes: Uint16Array, start: number): number {
  let at = start
  if ((codes[at] as number) === 48 && (codes[at + 1] as number) === 120) {
    at += 2
    while (isHex(codes[at] as number)) at++
  } else {
    while (isDigitOrDot(codes[at] as number)) at++
    if ((codes[at] as number) === 101) {
      let exponent = at + 1
      const sign = codes[exponent] as number
      if (sign === 43 || sign === 45) exponent++
      const from = exponent
      while (isDigitOrDot(codes[exponent] as number)) exponent++
      // MySQL reads `1.e(` as a number followed by `(`.
      if (exponent > from || (codes[at + 1] as number) === 40) at = exponent
    }
  }
  push(SQL.number, start, at, 0)
  return at
}

function isDigitOrDot(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102)
}

function readWord(codes: Uint16Array, start: number): number {
  let at = start
  let hash = HASH_SEED
  let code = codes[at] as number
  do {
    hash = hashStep(hash, code)
    code = codes[++at] as number
  } while (isWordCode(code) || code === 36)
  push(SQL.word, start, at, keyOf(hash))
  return at
}

function readVariable(codes: Uint16Array, start: number): number {
  let at = start + 1
  if ((codes[at] as number) === 64) at++
  while (isWordCode(codes[at] as number) || (codes[at] as number) === 46) at++
  push(SQL.variable, start, at, 0)
  return at
}

function isCompareSign(code: number): boolean {
  return code >= 60 && code <= 62
}

function readSign(codes: Uint16Array, at: number, code: number, next: number): number {
  switch (code) {
    case 39:
      push(SQL.apostrophe, at, at + 1, 0)
      return at + 1
    case 34:
      push(SQL.quote, at, at + 1, 0)
      return at + 1
    case 96:
      push(SQL.backtick, at, at + 1, 0)
      return at + 1
    case 40:
    case 91:
    case 123:
      push(SQL.open, at, at + 1, 0)
      return at + 1
    case 41:
    case 93:
    case 125:
      push(SQL.close, at, at + 1, 0)
      return at + 1
    case 44:
      push(SQL.comma, at, at + 1, 0)
      return at + 1
    case 59:
      push(SQL.semicolon, at, at + 1, 0)
      return at + 1
    case 46:
      push(SQL.dot, at, at + 1, 0)
      return at + 1
    case 58:
      // PostgreSQL's cast is part of the term.
      push(next === 58 ? SQL.operator : SQL.other, at, next === 58 ? at + 2 : at + 1, 0)
      return next === 58 ? at + 2 : at + 1
    case 61:
    case 60:
    case 62:
    case 33: {
      let end = at + 1
      while (isCompareSign(codes[end] as number) && end - at < 3) end++
      push(code === 33 && end === at + 1 ? SQL.operator : SQL.compare, at, end, 0)
      return end
    }
    case 124:
    case 38:
      if (next === code) {
        push(SQL.logic, at, at + 2, 0)
        return at + 2
      }
      push(SQL.operator, at, at + 1, 0)
      return at + 1
    case 43:
    case 45:
    case 42:
    case 47:
    case 37:
    case 94:
    case 126:
      push(SQL.operator, at, at + 1, 0)
      return at + 1
    default:
      push(SQL.other, at, at + 1, 0)
      return at + 1
  }
}
