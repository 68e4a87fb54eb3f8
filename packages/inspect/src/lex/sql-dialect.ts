import { HASH_SEED, hashStep } from '../value/words.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

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

/** What words mean; of a word that is listed twice, the first meaning holds. */
export type SqlWords = readonly (readonly [key: number, words: string])[]

/** The words of all databases. */
export const SQL_KEYWORDS: SqlWords = [
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

const SLOTS = 1_024

/** What differs between databases, for the lexer of SQL. */
export class SqlDialect {
  /** `#` begins a comment, as in MySQL. In PostgreSQL it is an operator. */
  readonly hasHashComments: boolean
  /** What is inside of `/*!50000 x*\/` runs, as in MySQL and MariaDB. Elsewhere it is a comment. */
  readonly hasVersionedComments: boolean
  readonly #hashes = new Int32Array(SLOTS)
  readonly #keys = new Uint8Array(SLOTS)

  constructor(options: { words: SqlWords; hasHashComments: boolean; hasVersionedComments: boolean }) {
    this.hasHashComments = options.hasHashComments
    this.hasVersionedComments = options.hasVersionedComments
    for (const [key, list] of options.words) for (const word of list.split(' ')) this.#add(word, key)
  }

  /** What a word means, by its hash. */
  keyOf(hash: number): number {
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const known = this.#hashes[slot]
      if (known === hash) return this.#keys[slot] as number
      if (known === 0) return KEY.none
    }
  }

  #add(word: string, key: number): void {
    let hash = HASH_SEED
    for (let i = 0; i < word.length; i++) hash = hashStep(hash, charCodeAt.call(word, i))
    let slot = hash & (SLOTS - 1)
    while (this.#hashes[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & (SLOTS - 1)
    if (this.#hashes[slot] === hash) return
    this.#hashes[slot] = hash
    this.#keys[slot] = key
  }
}

/**
 * MySQL, PostgreSQL, SQL Server, Oracle and SQLite at once: nothing in a request tells which database is
 * behind the application, so what any of them takes for a comment or a keyword is one.
 */
export const ANY_DATABASE: SqlDialect = new SqlDialect({
  words: SQL_KEYWORDS,
  hasHashComments: true,
  hasVersionedComments: true,
})
