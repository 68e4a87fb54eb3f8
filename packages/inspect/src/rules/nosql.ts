import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const OPERATORS =
  'ne|eq|gt|gte|lt|lte|in|nin|or|and|nor|not|exists|type|mod|regex|where|text|all|elemmatch|size|expr|jsonschema|options|func|accumulator|function|lookup|ninarray|bitsallset|slice|comment|natural|set|unset|inc|push|pull|rename|near|geowithin|geointersects|meta|graphlookup|unionwith|currentop|listsessions|listlocalsessions|collstats|indexstats|plancachestats|out'

const OPERATOR = new RegExp(`(?:^|[[.{,\\s"'])\\$(?:${OPERATORS})(?:$|[\\]."'\\s:=])`)
/** Operators that run code or reach other collections. */
const RUNNING =
  /\$(?:where|expr|function|accumulator|func|jsonschema|lookup|graphlookup|unionwith|currentop|listsessions|listlocalsessions|collstats|indexstats|plancachestats|out)\b/
const RUNNING_VALUE = /\$(?:where|function|accumulator|func)\b/
/** What a login or a look-up by one key compares: an operator there widens it. */
const COMPARED =
  /(?:^|[.[_-])(?:user_?(?:name)?|login|e?mail(?:_?address)?|account|pass(?:word|wd)?|pwd|token|secret|key|otp|pin|code|hash|session|sid|auth|passcode|captcha|(?:verification|activation|confirmation|recovery|reset|security)_?code|\w{0,16}(?:token|password|passwd|secret|api_?key|secret_?key)|\w{0,8}_?id)(?:\]|$|\[|\.\$)/
/** Operators that compare with anything. */
const COMPARISON = /\$(?:ne|gt|gte|lt|lte|nin|regex|exists|not)\b/
/** What changes a record or only describes: analytics send it as it is (PostHog, Mixpanel), schemas too. */
const DESCRIBING = /\$(?:set|unset|comment)\b/
/** Parameters by which interfaces take filters: Strapi, Parse, CouchDB, LoopBack. */
const FILTER =
  /(?:^|\.)(?:filters?|where|selector|query|criteria|conditions?|find|match|pipeline|aggregate|search)(?:[.[]|$)/

/**
 * What nobody is to read, and no filter of an interface asks for. Not a `token` alone, which may be a coin.
 */
const SECRET =
  '(?:password(?:_?(?:hash|digest|salt))?|hashed_?password|encrypted_?password|passwd|pwd|(?:password_?)?(?:reset|access|refresh|session|verification|confirmation|remember|recovery|activation|auth)_?(?:password_?)?token|api_?key|secret(?:_?key)?|(?:otp|totp|two_?factor|mfa)_?secret)'
/** The same, compared with what a filter guesses, one character after the other, or with anything. */
const GUESSED = new RegExp(
  `(?:^|[._[])${SECRET}\\]?\\.\\$(?:regex|gte?|lte?|ne|nin|not|i?like|startswith|endswith)$`,
)

/** Where the stages of a pipeline stand in a body (MongoDB's Data API). */
const STAGE = /^body\.(?:[\w-]{1,40}\.){0,4}pipeline\.\d{1,3}(?:\.|$)/

/**
 * An operator in a name. Interfaces that take filters by operator are many; where one is compared with a
 * credential or an id, or runs code, it is an attack.
 */
function findOperatorName(reading: Reading): Span | undefined {
  if (reading.place !== 'name') return undefined
  const found = OPERATOR.exec(reading.lower)
  if (found === null) return undefined
  // Of a document in a value: it is read there, whatever else the request is.
  const isInValue = reading.name.endsWith('{')
  const above = isInValue ? reading.name.slice(0, -1) : reading.name
  const span = { start: found.index, end: found.index + found[0].length }
  // The stages of a pipeline compare fields and join collections; what runs code stays what it is.
  if (STAGE.test(above) && !RUNNING_VALUE.test(found[0])) return { ...span, score: 3 }
  if (RUNNING.test(found[0])) return span
  // Where the document stands says nothing: a query is not a filter for being one.
  const place = `${above}.${reading.lower}`.replace(/^(?:query|body|cookie|header)\./, '')
  if (GUESSED.test(place)) return span
  if (FILTER.test(place)) return { ...span, score: 3 }
  // The document is nothing but the operator: it takes the place of the value that was to be compared.
  const isRoot =
    (above === 'body' && !DESCRIBING.test(found[0])) ||
    (COMPARISON.test(found[0]) && (isInValue || /^(?:query|cookie|body)\.[^.]{1,64}$/.test(above)))
  return isRoot || COMPARED.test(place.slice(0, place.lastIndexOf('$') + 1)) ? span : { ...span, score: 4 }
}

/** What stands behind `$where:` where GraphQL declares a variable (October 2021, section 2.10): its type. */
const DECLARED_TYPE =
  '(?!\\s{0,4}\\[{0,3}(?!(?:null|true|false|undefined|this|function|new|nan|infinity)\\b)[a-z_]\\w{0,80}[!\\]]{0,6}\\s{0,4}[,)=@$])'

const VALUE = new RegExp(
  `(?:^|[{,;'"\\s[])["']?\\$(?:${OPERATORS})(?:["']?\\s{0,4}\\]|["']\\s{0,4}:|\\s{0,4}:${DECLARED_TYPE})`,
)
const JSON_LIKE = /^\s{0,8}[[{]\s{0,8}["[{\]}]/

/** An operator in a value. In a JSON document the names are read one by one, with what they stand under. */
function findOperatorValue(reading: Reading): Span | undefined {
  if (reading.place === 'name' || reading.place === 'file-name' || JSON_LIKE.test(reading.lower))
    return undefined
  const found = VALUE.exec(reading.lower)
  if (found === null) return undefined
  const span = { start: found.index, end: found.index + found[0].length }
  // Behind a string that is ended, or one that runs code; elsewhere it is how queries are written down.
  const isSure =
    RUNNING_VALUE.test(found[0]) ||
    found[0].endsWith(']') ||
    /^\s{0,2}[\w@. ]{0,40}["'}]\s{0,2}[,}\]]/.test(reading.lower)
  return isSure ? { ...span, bare: false } : span
}

/** Operators of document databases where data belongs, and JavaScript for their shells. */
export const nosqlRules: readonly Rule[] = [
  {
    id: 'nosqli/operator-name',
    family: 'nosqli',
    score: 5,
    quotable: false,
    chars: CHAR.dollar,
    words: 0,
    needs: [OPERATOR],
    find: findOperatorName,
    attacks: ['password[$ne]', '$where', 'user.$gt', 'u_id[$regex]', 'filters[$where]'],
    benign: [
      '$filter',
      '$top',
      '$orderby',
      'price$',
      '$schema',
      '$ref',
      '$id',
      'filters[$and][0][title][$contains]',
      'createdAt[$gt]',
      '$limit',
      'status[$ne]',
    ],
  },
  {
    id: 'nosqli/operator-value',
    family: 'nosqli',
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    words: 0,
    needs: [VALUE],
    find: findOperatorValue,
    attacks: [
      "true, $where: '99 == 88'",
      "{$gt: ''}",
      "', $or: [ {}, { 'a':'a",
      '[$ne]=1',
      "x, $where: ID!, $where: 'sleep(9)'",
      '{$ne: null, a: 1}',
      '1, $where: function() { return 1 }',
    ],
    benign: [
      'query Posts($where: PostFilter, $in: [ID!]!) { posts(where: $where) { id } }',
      'mutation ($set: users_set_input!, $inc: users_inc_input = {}) { a }',
      '$price: 5',
      'costs $in total',
      '$size of it',
      '{"score":{"$gt":1000}}',
    ],
  },
  pattern(
    'nosqli/shell',
    /\bdb\s{0,2}\.\s{0,2}\w{1,40}\s{0,2}\.\s{0,2}(?:insert|find|update|remove|drop|aggregate|mapreduce|delete|save|count|ensureindex|createindex|eval)\w{0,8}\s{0,4}\(|\bthis\.\w{1,24}\s{0,4}(?:==|!=|\.match\s{0,2}\()|'\s{0,4}(?:\|\||&&)\s{0,4}this\.|\bdb\.(?:getcollectionnames|version|eval|dropdatabase|currentop|shutdownserver)\s{0,2}\(|\bdb\.getcollection\s{0,2}\(|['"]\s{0,4};\s{0,4}return\b[^;\n]{1,80};\s{0,4}(?:var|let)\b|['"]\s{0,4}(?:\|\||&&)\s{0,4}\(?\s{0,2}(?:this\s{0,2}(?:[.[]|(?:\|\||&&)\s{0,2}['"])|function\s{0,2}\(|\(\s{0,2}\)\s{0,2}=>|return\b|new\s{1,4}date\b|tojson\s{0,2}\(|object\.keys\s{0,2}\()|['"]\s{0,4}\+\s{0,4}\(\s{0,2}(?:this\s{0,2}[.[]|tojson\s{0,2}\(|object\.keys\s{0,2}\()|['"]\s{0,4};\s{0,4}return\s{1,4}(?:true|''\s{0,2}==|\(?this)|^[\w'"]{0,16}\s{0,2};\s{0,2}return\s{0,2}\(?(?:true|1|this)\b|^\s{0,4}function\s{0,2}\(\s{0,2}\)\s{0,2}\{\s{0,2}(?:return\b|sleep\s{0,2}\(|while\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.equals | CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      words: WORD.mongo,
      attacks: [
        'db.injection.insert({success:1});',
        "' || this.password.match(/.*/)",
        "'; return true; var a='",
        'function(){return true}',
        "'||this.password.length>0||'",
        "50'||this||'",
        ';return(true)',
      ],
      benign: ['this.x = 1', 'the db (users.find it)', 'mydb.connect()'],
    },
  ),
  // The query ended, and another that fits every password.
  pattern(
    'nosqli/any-password',
    /\{\s{0,2}["']?(?:password|passwd|pwd|pass|token)["']?\s{0,2}:\s{0,2}\/\.[*+]\//,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['}, { password : /.*/ }', "{'token':/.+/}"],
      benign: ['{ path: /.*/ }', '{ password: "x" }'],
    },
  ),
  pattern(
    'nosqli/cassandra',
    /\ballow\s{1,4}filtering\b\s{0,4}(?:;|--|$)|\{\s{0,4}["']?(?:\$gt|\$ne)["']?\s{0,2}:\s{0,2}(?:["']{2}|null|-1)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar | CHAR.dashes | CHAR.semicolon,
      attacks: ["x' ALLOW FILTERING;--"],
      benign: ['we allow filtering by name'],
    },
  ),
  // A filter over what nobody is to read, one character after the other.
  pattern(
    'nosqli/secret-filter',
    /(?:^|[._[\]])(?:password\w{0,8}|(?:hashed|encrypted)_?password|passwd|pwd_?hash|(?:password_?)?(?:reset|access|refresh|session|verification|confirmation|remember|recovery|activation|auth)_?(?:password_?)?token|api_?key|secret(?:_?key)?|(?:otp|totp|mfa)_?secret)\]?\[\$?(?:startswithi?|endswithi?|n?contains?i?|i?regexp?|n?i?like|gte?|lte?|neq?|not|nin|not_?in)\]$/,
    {
      score: 5,
      places: ['name'],
      chars: CHAR.bracket,
      attacks: [
        'filters[password][$startsWith]',
        'user[resetToken][regex]',
        'where[password_reset_token][not]',
        'apiKey[endsWith]',
      ],
      benign: ['filters[title][$contains]', 'password', 'password[confirmation]'],
    },
  ),
  // The same as predicates of a search form (Ransack).
  pattern(
    'nosqli/secret-predicate',
    /\[(?:\w{1,40}_)?(?:password_(?:digest|hash)|encrypted_password|reset_password_token|otp_secret|(?:api|recover(?:y|ies)|secret|private)_(?:key|code|token)s?|remember_token)_(?:start|cont|end|matches|lt|gt|lteq|gteq)(?:_any|_all)?\]$/,
    {
      score: 5,
      places: ['name'],
      chars: CHAR.bracket,
      attacks: [
        'q[reset_password_token_start]',
        'q[user_password_digest_cont]',
        'q[creator_recoveries_key_start]',
      ],
      benign: ['q[title_cont]', 'q[password_confirmation]'],
    },
  ),
  pattern(
    'nosqli/secret-lookup',
    /(?:^|__|\.)(?:password(?:_hash)?|reset_token|api_key|secret)(?:__|\.)(?:i?startswith|i?endswith|i?contains|i?regex|gte?|lte?|ne|range)$/,
    {
      score: 5,
      places: ['name'],
      words: WORD.mongo,
      attacks: ['password__startswith', 'reset_token__startswith', 'body.password.startsWith'],
      benign: ['name__startswith', 'password_confirmation'],
    },
  ),
  pattern(
    'nosqli/secret-term',
    /(?:^|[\s,+(&|])(?:[\w.]{1,40}\.)?(?:password|passwd|reset_?(?:password_?)?token|password_?reset_?\w{0,12}):(?:[~!><]|-~)/,
    {
      score: 5,
      places: ['query'],
      chars: CHAR.colon,
      attacks: ["password:~'$2a'", "slug:a+password:~^'x'"],
      benign: ['password: hunter', 'email:~a', 'title:password'],
    },
  ),
]
