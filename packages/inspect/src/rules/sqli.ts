import { SqlInjectionLexer } from '../lex/sql-injection.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const sql = new SqlInjectionLexer()

const LEAVING =
  CHAR.apostrophe |
  CHAR.quote |
  CHAR.equals |
  CHAR.less |
  CHAR.greater |
  CHAR.paren |
  CHAR.semicolon |
  CHAR.pipe |
  CHAR.dashes |
  CHAR.hash |
  CHAR.comment

const CUT_OFF = CHAR.dashes | CHAR.hash | CHAR.comment | CHAR.semicolon
/** With what a query goes on behind a string that was ended, where no word of it does. */
const GOING_ON = CUT_OFF | CHAR.pipe | CHAR.equals | CHAR.plus | CHAR.at | CHAR.ampersand
/** What a query is left by, calls, or is cut off with: one ampersand alone stands between two names. */
const LEFT = CUT_OFF | CHAR.apostrophe | CHAR.quote | CHAR.pipe | CHAR.paren

const ATTACKS = [
  "1' or '1'='1",
  '1 or 1=1',
  "') or ('a'='a",
  "x' UNION ALL SELECT NULL,NULL--",
  '1; drop table users',
  "1';waitfor delay '0:0:5'--",
  '1 and sleep(5)',
  "1' and (select 1 from users limit 1)='1",
  '-1 order by 10--',
  "a'||(select password from users)||'",
  '1 and substring(version(),1,1)=5',
  "1' procedure analyse(extractvalue(1,1),1)#",
  '(select(0)from(select(sleep(15)))v)',
  'benchmark(15000000,md5(0x4e))-99',
  'iif((select unicode(email) from customer)>100,id,-id)',
  'abs(id-(select count(*) from customer))',
  'id in (select id from customer)',
  "' or 1 limit 1 -- -+",
  '1 or id=id',
  "' div 1='",
  '1*(case when 1=1 then 1 else 0 end)',
  '1;delete from users',
  "'; attach database '/var/www/x.php' as lol;--",
  '1;set @a=0x73;prepare x from @a',
  '1 or some_function(1)',
  "' union#aa\nselect 1,2",
  "x',is_admin=1 where id=5#",
  '(case when (1=1) then name else id end)',
  "' or@x:=1#",
  "'; drop table x; copy y from program 'id';--",
  '1;do $$ begin perform pg_sleep(5); end $$;',
  "1' or '{}'::jsonb ? 'b'",
  "id*iif(exists(select 1 from customer where role='admin'),1,-1)",
  '1#a\nor#b\n1=1',
  '1--a\nor--b\nnot--c\n5=5',
  "1' 1.e) rlike 1.e(select 1.e(case when 1.e(7=7 1.e) then 1 else 2 end 1.e) 1.e)",
]
const BENIGN = [
  "O'Brien",
  "D'or 1st parfume",
  "it's mine or it's yours",
  'SELECT a seat and drop the table from the list',
  'select your country from the list',
  'We formed a union; select members and order by mail',
  '10 or less',
  'rock and roll',
  'Tom & Jerry -- the movie',
  "don't insert coins into the machine's slot",
  "I said 'yes' and 'no' to her",
  '1060 OR 70S',
  "FOO BAR'# BLAH",
  '7" #2 CIRCULAR NEEDLE',
  'update your profile and set a password',
  'the European Union select committee met',
  'a sleep(ing) bag for two',
  'pick a colour (select size from menu) and go on',
  'the form (select one from the list) is short',
  'drop table lamp',
  'create table runner',
  'The "or" operator and the \'xor\' keyword',
  "Undefine 'select' on Windows",
  'Sleep (2020)',
  '10" or 12" pizza',
  "5' or 6'",
  'benchmark (2 pack)',
  '1 or 2; delete all',
  "paths with '/@unixroot' in front of them become others on that system",
]

/** Rules that need the grammar of SQL. One walk answers them all, since they share the tokens. */
const structure: Rule[] = [
  {
    id: 'sqli/structure',
    family: 'sqli',
    score: 6,
    quotable: true,
    chars: LEAVING,
    words: WORD.sqlVerb | WORD.sqlLogic | WORD.sqlName,
    find: reading => sql.find(reading),
    attacks: ATTACKS,
    benign: BENIGN,
  },
  {
    id: 'sqli/statement',
    family: 'sqli',
    score: 6,
    quotable: true,
    chars: 0,
    words: WORD.sqlVerb,
    find: reading => ((reading.chars & LEAVING) === 0 ? sql.find(reading) : undefined),
    attacks: [
      '1 union select 1,2,3',
      '1e1 union select users, 2 from password',
      'select id, 2 from bar where',
    ],
    benign: ['Please select one from these options', 'Create a table for two'],
  },
  {
    id: 'sqli/quote-break',
    family: 'sqli',
    score: 5,
    quotable: true,
    chars: CHAR.apostrophe | CHAR.quote | CHAR.pipe | CHAR.ampersand,
    words: 0,
    signs: [{ all: { chars: 0, holds: 0 }, some: [{ chars: GOING_ON, holds: 0 }] }],
    find: reading =>
      (reading.chars & GOING_ON) !== 0 &&
      ((reading.chars & LEFT) !== 0 || reading.text.includes('&&')) &&
      (reading.words & (WORD.sqlVerb | WORD.sqlLogic | WORD.sqlName)) === 0
        ? sql.find(reading)
        : undefined,
    attacks: ["'||1||'", "a@b.example';", "admin'--", "x'||'y'='xy", "1'#", '1 && 1 = 1', '1 & 1=1--'],
    benign: ["the '90s -- a decade", '\'-"8 TRACK PL', '"flagging" -american -festive --peace'],
  },
]

const SPLIT_WORDS =
  /union|select|insert|update|delete|where|from|sleep|benchmark|concat|order|having|drop|exec|case|when|then|else|limit|like|null|exists|regexp/g
const SPLIT = /[a-z]{1,8}(?:\/\*[^*/]{0,16}\*\/[a-z]{1,8}){1,12}/g
const COMMENTS = /\/\*[^*/]{0,16}\*\//

/** A word of SQL with comments inside: of use only against a filter that takes comments out. */
function findSplitWord({ lower }: Reading): Span | undefined {
  for (const { 0: run, index } of lower.matchAll(SPLIT)) {
    const parts = run.split(COMMENTS)
    if (parts.length === 2 && SHORT_WORDS.test(parts.join('')))
      return { start: index, end: index + run.length }
    for (const [word] of parts.join('').matchAll(SPLIT_WORDS))
      if (!parts.some(part => part.includes(word))) return { start: index, end: index + run.length }
  }
  return undefined
}

const SHORT_WORDS = /^(?:and|or|end)$/

/** Rules about names and calls that give an attack away wherever they stand. */
const marks: Rule[] = [
  pattern(
    'sqli/schema-table',
    /\b(?:(?:from|join|into|,)\s{1,8}(?:information_schema|`information_schema|mysql\.\w|pg_catalog|pg_shadow|pg_user|sysobjects|syscolumns|sysusers|sqlite_master|sqlite_schema|msysobjects|all_tables|user_tables|all_users|master\.\.|sysibm\.|rdb\$|v\$version|domain\.tables))/,
    {
      score: 5,
      bare: true,
      quotable: true,
      words: WORD.sqlName | WORD.sqlVerb,
      attacks: ['(select table_name from information_schema.tables limit 1)', 'x from mysql.user'],
      benign: [
        'The information schema is a set of views',
        'imported from mysql yesterday',
        'information_schema.tables',
      ],
    },
  ),
  pattern(
    'sqli/quote-operator',
    /^\s{0,2}'?[\w-]{0,12}\s?'\s{0,3}(?:[-+*/%&|^~=!]{1,3}|<=>|<>|<<|>>|<=|>=)\s{0,3}'\s?[\w-]{0,12}\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.apostrophe,
      attacks: ["'x'!='y", "'&'", "' <> '", "A' + 'B", "aa'!='1"],
      benign: ["'a'", "rock 'n' roll", "''"],
    },
  ),
  pattern(
    'sqli/union-alone',
    /^[\W\d]{0,8}union(?:[\s+]|\/\*\W{0,8}\*\/){1,8}(?:(?:all|distinct)(?:[\s+]|\/\*\W{0,8}\*\/){1,8})?select[\W\d]{0,8}$/,
    {
      score: 5,
      atStart: true,
      words: WORD.sqlVerb,
      attacks: ['Union sElect', "' union all select ", '/**/union/**/select'],
      benign: ['union selection', 'select union'],
    },
  ),
  pattern(
    'sqli/schema-name',
    /^\s{0,4}(?:information_schema(?:\.\w{1,24})?|pg_catalog|msdb|northwind|tempdb|sqlite_master|mysql\.(?!(?:sql|conf|cnf|ini|ya?ml|json|md|txt|log|sh|service|sock|html?|[cm]?[jt]s|py|php|rb|go|[ch]|so|png|svg|gz|zip)\s{0,4}$)\w{1,16}|(?:schema|db)_name\s{0,4}\(\)?|sysobjects|msysaces|msys(?:access)?objects)\s{0,4}$/,
    {
      score: 5,
      // Consoles name the database or the schema that is looked at; phpMyAdmin, where it stands in its tree.
      unlessNamed: /^(?:db|database|schema|ns|(?:n\d{1,2}_)?[av]path)$/,
      bare: true,
      words: WORD.sqlName,
      atStart: true,
      attacks: ['InFoRmaTioN_ScHemA', 'pg_catalog', 'db_name('],
      benign: ['schema', 'mysql', 'schema_name', 'db_name', 'mysql.sql', 'mysql.conf'],
    },
  ),
  // The rest of a query without the value that it follows.
  pattern(
    'sqli/clause-alone',
    /^[\s)'"]{0,4}(?:(?:order|group)\s{1,4}by\s{1,4}\d{1,6}\b(?:\s{0,4}(?:,\s{0,4}\d{1,4}|--|#|having|asc|desc)|\s{0,4}$)|having\s{1,4}['"(]{0,2}\d{1,9}['")]{0,2}\s{0,4}[=<>]|(?:or|and)\s{1,4}(?:not\s{1,4})?(?:(?:true|false)\s{0,4}(?:--|#|$)|(?:(['"]?)\d{1,9}\1|([a-z]\w{0,8}))\s{0,4}(?:=|<>|!=|<|>|like\b)\s{0,4}(?:['"]?\d{1,9}\b|\2(?:\s{0,4}(?:--|#|$))))|(?:\w{1,16}\s{0,2}=\s{0,2}\d{1,9}\s{1,4})?where\s{1,4}\d{1,9}\s{0,4}=\s{0,4}\d|limit\s{1,4}\d{1,9}\s{0,4},\s{0,4}\d{1,9}\s{1,4}(?:union|into|procedure))/,
    {
      score: 5,
      bare: true,
      atStart: true,
      words: WORD.sqlVerb | WORD.sqlLogic,
      attacks: ['order by 5', 'having 1=1', 'or a=a', 'or true', 'id=1 where 1=1', 'and 1=1', 'or 0=0 --'],
      benign: ['order by phone', 'or so', 'and true love', 'where is 1', 'or a = b', 'limit 10'],
    },
  ),
  // No sign and no verb: only a number that is compared with nothing.
  pattern(
    'sqli/boolean',
    /^\s{0,4}['"(]?-?\d{1,10}['")]?\s{1,4}(?:or|and|xor)\s{1,4}(?:(?:not\s{1,4})?(?:true|false)|'[\w ]{0,16}'|[\w.]{1,24}\s{1,4}is\s{1,4}(?:not\s{1,4})?null)\s{0,4}$|^\s{0,4}-?(\d{1,10})\s{1,4}(?:not\s{1,4})?(?:r?like|regexp)\s{1,4}['"]?\1['"]?\s{0,4}(?:$|--|#)/,
    {
      score: 5,
      atStart: true,
      words: WORD.sqlLogic,
      attacks: ['1 or true', '-1 or not false', '1 or id is not null', '1 LIKE 1', "1 or 'x'"],
      benign: ['1 or 2', 'true or false', '1 and true love', '5 like 6', '3 if (you like)'],
    },
  ),
  // One query's brackets closed and the next one's opened, and nothing else.
  pattern(
    'sqli/bracket-operator',
    /^\s{0,2}['"]?\)\s{0,3}(?:(?:not\s{1,2})?(?:like|rlike|regexp|in)|and|or|xor|=|<>|!=)\s{0,3}\(\s{0,2}['"]?\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.paren,
      attacks: [') like (', "') or ('"],
      benign: ['(a) or (b)', ')('],
    },
  ),
  pattern(
    'sqli/grouping',
    /\bgroup\s{1,4}by\s{1,4}[\w.,`]{1,40}\s{1,4}having\s{1,4}\w{1,12}\s?\(|[`'")\d]\s{0,4}\bas\s{1,4}(?:`\w{1,32}`|"\w{1,32}")\s{1,4}from\b/,
    {
      score: 5,
      bare: true,
      quotable: true,
      words: WORD.sqlVerb | WORD.sqlLogic,
      attacks: ['select x group by y having count(id) >= 9', '` AS `user_id` from', '1 as "x" from t'],
      benign: ['group by colour, having seen it', '"a" as seen from b'],
    },
  ),
  pattern('sqli/terminator', /^\s{0,4}-?\w{0,16}['")]{0,3}\s{0,2};\s{0,4}(?:--|#)[\s-]{0,4}$/, {
    score: 5,
    atStart: true,
    chars: CHAR.semicolon,
    attacks: ['1;--', '1);#', ';-- '],
    benign: ['a; -- b', '&#39;#', 'x;'],
  }),
  {
    id: 'sqli/split-word',
    family: 'sqli',
    score: 5,
    quotable: true,
    chars: CHAR.comment,
    words: 0,
    find: findSplitWord,
    attacks: ["' un/**/ion sel/**/ect 1,2--", 'sl/*x*/eep(5)', '(S/**/EL/**/E/**/CT 1)', '1 O/**/R 1'],
    benign: ['a/**/b', 'src/**/index.ts', 'select/**/1', 'case/**/when'],
  },
  {
    id: 'sqli/conditional',
    family: 'sqli',
    score: 6,
    quotable: true,
    chars: CHAR.comment,
    words: 0,
    // The digits of a version hide the word behind them from the gates.
    needs: [/\/\*!/],
    find: reading => (reading.lower.includes('/*!') ? sql.find(reading) : undefined),
    attacks: ['1/*!50000union*//*!50000select*/1,2,3'],
    benign: ['/*! licence */', '/*! a library, version 5 */ x()'],
  },
  pattern('sqli/blob', /\b(?:random|zero)blob\s{0,4}\(\s{0,4}\d{5}/, {
    score: 5,
    quotable: true,
    words: WORD.sqlName,
    attacks: ["replace(hex(zeroblob(900000)),'00','aaaaaaaa')", 'x,randomblob(1000000)'],
    benign: ['zeroblob (9 bytes)', 'a random blob'],
  }),
  pattern(
    'sqli/time',
    /(?:[,(*+/|=&^%-]\s{0,4}sleep\s{0,4}\(\s{0,4}['"(]{0,3}\s{0,4}\d{1,3}(?:\.\d{1,3})?\s{0,4}['"]?\)|\bbenchmark\s{0,4}\(\s{0,4}\d{2,10}\s{0,4},|\bpg_sleep\s{0,4}\(|\bwaitfor\s{1,8}(?:delay|time)\s{1,8}['"]|\bdbms_pipe\s{0,2}\.\s{0,2}receive_message\s{0,4}\(|\bdbms_lock\s{0,2}\.\s{0,2}sleep)/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlCall,
      attacks: [
        '1 and benchmark(5000000,md5(1))',
        "'; waitfor delay '0:0:5'",
        'x,pg_sleep(10)',
        'x,SLEEP(5)',
        '10*if(now()=sysdate(),sleep(6),0)',
        'if(1=1,sleep(1.5),0)',
      ],
      benign: ['benchmark (2019 edition)', 'I could sleep (a lot)', 'await sleep(50)'],
    },
  ),
  pattern(
    'sqli/select-time',
    /\b(?:select|and|or|;|\()\s{0,8}(?:pg_sleep\b|sleep\s{0,4}\(\s{0,4}['"(]{0,3}\d|benchmark\s{0,4}\(\s{0,4}\d(?!\d{0,7}\s{0,2}\)))|\bwaitfor\s{1,8}(?:delay|time)\s{1,8}['\x22]\d/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlCall,
      attacks: ["1 waitfor delay '0:0:15' --", 'select pg_sleep', 'sELecT slEep (10 +6)', '1 and sleep(5)'],
      benign: ['sleep well', 'await sleep(50)', 'a test; benchmark (2026)'],
    },
  ),
  pattern(
    'sqli/procedure',
    /\b(?:xp_(?:cmdshell|dirtree|regread|regwrite|fileexist|servicecontrol|enumdsn|availablemedia|loginconfig|makecab|ntsec|terminate)|sp_(?:executesql|password|makewebtask|oacreate|addextendedproc|execute_external_script|configure)|openrowset\s{0,4}\(|opendatasource\s{0,4}\(|utl_(?:http|inaddr|file)\.|dbms_(?:java|ldap|xmlgen|export_extension)\b|load_file\s{0,4}\(|into\s{1,8}(?:outfile|dumpfile)\s{1,8}['"]|lo_import\s{0,4}\(|pg_read_file\s{0,4}\(|ctxsys\.drithsx|\bprocedure\s{1,8}analyse\s{0,4}\()/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlCall,
      attacks: [
        "exec master..xp_cmdshell 'dir'",
        "select load_file('/etc/passwd')",
        "x into outfile '/var/www/a.php'",
      ],
      benign: ['spelled xp points', 'load file from disk'],
    },
  ),
  pattern(
    'sqli/error-call',
    /\b(?:extractvalue|updatexml)\s{0,4}\(.{0,64}?(?:concat|0x|select|\d\s{0,2},)|\b(?:concat|concat_ws|group_concat|char|chr|ascii|substring|substr|mid|unhex|hex|cast|convert)\s{0,4}\(\s{0,4}(?:0x[0-9a-f]{2}|version\s{0,2}\(|user\s{0,2}\(|database\s{0,2}\(|@@|\(?\s{0,4}select\b|char\s{0,2}\(\d|chr\s{0,2}\(\d|password)|@@(?:version|datadir|hostname|basedir|version_compile_os|servername)\b|@@(?:global|session)\.\w/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlCall,
      attacks: ['and extractvalue(1,concat(0x5c,1))', '1,concat(0x3a,version())', 'convert(int,@@version)'],
      benign: ['concat(first, last)', 'the @@ marker', 'substring(0, 5)'],
    },
  ),
  pattern(
    'sqli/hollow-call',
    /^[\s'"]{0,4}(?:\w{1,16}\s{0,2}=\s{0,2})?(?:coalesce|compress|uncompress|cos|hex|unhex|md5|sha1|sha|name_const|ord|pow|power|sysdate|rand|substring|substr|ascii|char|chr|concat|concat_ws|group_concat|ifnull|nullif|isnull|encode|decode|degrees|radians|benchmark|sleep|db_name|schema_name|to_char|to_number|unix_timestamp|updatexml|extractvalue|aes_decrypt|aes_encrypt|load_file|database|version|length|lower|upper|floor|ceil|ceiling|atan|acos|asin|sin|tan|cot|bin|conv|crc32|elt|field|format|greatest|least|insert|instr|left|right|locate|lpad|ltrim|mid|mod|oct|quote|repeat|reverse|round|rpad|rtrim|sign|soundex|space|sqrt|trim|truncate|uuid|weekday|year|password|old_password|connection_id|current_user|last_insert_id|row_count|found_rows|curdate|curtime|date_add|date_sub|export_set|bit_and|bit_or|bit_count|bit_length|stddev|variance|var_pop|minute|month|monthname|now|period_add|period_diff|quarter|sec_to_time|utc_date|likely|unlikely|glob|zeroblob|total_changes|sqlite_version|iif|nvl|raise_error|regexp_replace|to_base64|from_base64|xmltype)(?:\s{0,8}\(\s{0,4}|\([\w'"]{0,16}\)?\s{0,4})$/,
    {
      score: 5,
      bare: true,
      chars: CHAR.paren,
      atStart: true,
      places: ['query', 'body', 'name', 'cookie', 'header'],
      attacks: ['COALESCE(', 'hEx(', 'pay=substring(', 'rand()'],
      benign: ['Left (Remastered)', 'Reverse (2 disc edition)', 'call(me)', 'Round 4 (final)'],
    },
  ),
  pattern(
    'sqli/cast',
    /(?:\)|'|\bpassword|\w)::(?:json|jsonb|int|text|integer|varchar|numeric|regclass)\b\s{0,4}(?:$|[<@#>=)|&-])|\b(?:unistr|jsonb?_\w{1,24})\s{0,2}\([^)]{0,64}\)\s{0,2}::/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      words: WORD.sqlName,
      attacks: ['OR \'{"b":2}\'::jsonb <@ \'{"a":1}\'::jsonb', 'jsonb_pretty((1,password)::jsonb)::int'],
      benign: ['std::text', 'Foo::int_parse()', 'a::b'],
    },
  ),
]

/** SQL injection. */
export const sqlRules: readonly Rule[] = [...structure, ...marks]
