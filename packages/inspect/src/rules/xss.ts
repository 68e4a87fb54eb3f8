import { MarkupLexer } from '../lex/html-elements.ts'
import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { scriptUrlRules } from './script-urls.ts'

const markup = new MarkupLexer()

/** `prompt (1).txt`: the name that systems give to the second copy of a file. */
const UNLESS_COPY = '(?![a-z]{4,9} \\(\\d{1,3}\\)(?:\\.[a-z\\d]{1,5})?$)'
const JS_NAMES = 'alert|confirm|prompt|eval|atob|settimeout|setinterval|fetch|importscripts|execscript|msgbox'

/** Cross-site scripting: markup that runs, attributes broken out of, and script broken into. */
export const xssRules: readonly Rule[] = [
  {
    id: 'xss/markup',
    family: 'xss',
    score: 6,
    quotable: true,
    chars: CHAR.less,
    words: 0,
    find: reading => markup.find(reading),
    attacks: [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '<svg/onload=alert(1)>',
      '<a href="java\tscript:alert(1)">x</a>',
      '<iframe src=http://evil.example>',
      '<p style="x:expression(alert(1))">',
      '<IMG """><SCRIPT>alert("XSS")</SCRIPT>">',
      '<x/Onpointerrawupdate=confirm(1)>xxxxx',
      '<details/open/ontoggle="x()">',
      '<div x-init="alert(1)">',
      '<input ng-focus=$event.view.alert(1)>',
      '<x oncontentvisibilityautostatechange=alert(1)>',
    ],
    benign: [
      '<p>Hello <b>world</b></p>',
      '<img src="cat.png" alt="on fire = hot">',
      'a < b and c > d',
      '<a href="https://example.com/?on=1">x</a>',
      'x <y on z=1',
      '<3 you',
      'Vec<String> once=1',
      '<button @click="go()">x</button>',
      '<li v-on:click="select(item)">x</li>',
    ],
  },
  pattern(
    'xss/attribute',
    /(?:^|["'`\s/;>])(?!on(?!end|empti)[a-z]{2,20}ed[\s=])on(?:abort|after|anim|auxc|before|begin|blur|bounce|can|cell|change|click|close|copy|cue|content|context|command|cut|dbl|drag|drop|duration|emptied|end|error|fini|focus|form|fullscreen|gesture|got|hash|help|input|inval|key|lang|layout|load|lose|lost|media|message|mouse|move|mozfull|nauxclick|off|online|page|paste|pause|play|point|pop|progress|property|rate|ready|repeat|reset|resiz|resume|reverse|row|scroll|search|security|seek|select|show|slot|sort|stall|start|stop|storage|submit|suspend|syncres|time|timezone|toggle|touch|track|transition|unhand|unload|undo|url|volume|wait|webkit|wheel|zoom)[a-z]{0,28}[\s\u0000/]{0,8}=(?!\s?(?:"(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?'\w{1,12}'|remove\(\))|window\.open\(this\.href(?:,\s?'[\w-]{0,24}'(?:,\s?'[\w=, -]{0,240}')?)?\);\s?return false)\s?;?\s?"|'(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?"\w{1,12}"|remove\(\)))\s?;?\s?'))[\s"'`({]{0,8}(?:[\w$.]{1,32}[\s"'`)\]]{0,4}[(`=+[?]|["']?\s{0,4}(?:javascript|vbscript):|\(\s{0,4}[a-z]|\[|new\b|throw\b|_=)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.equals,
      words: WORD.handler,
      attacks: [
        'x onfocus=alert(1)>',
        '" onmouseover="alert(1)',
        '"//Onx=""//onfocus=prompt(1)>',
        '"onClick="(prompt)(1)',
        "'onload=`x`",
        `" onerror="this.style.display='none';alert(1)"`,
      ],
      benign: [
        ' onclick="return false;"',
        ` onerror="this.style.display='none'"`,
        'online=1',
        "onFinished = require('on-finished')",
        'turn it on=yes',
        'onion=2 onions',
        'phone=123',
        'one=(1)',
      ],
    },
  ),
  // The application's attribute ended, its element closed, and another begun or one closed that is not open.
  pattern(
    'xss/attribute-end',
    /^[^<>\n]{0,80}(?:["'][^<>"'\n]{0,80}|\bautofocus\s{0,4})["']?\s{0,4}\/?>\s{0,8}<\/?[a-z][\w-]{0,20}[\s/>]|^[^<>\n"']{0,80}["']>[^<>\n]{1,24}<\/?[a-z][\w-]{0,20}[\s/>]/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.greater,
      words: WORD.markup,
      places: ['query', 'cookie', 'header', 'path'],
      attacks: ['"alert(1)"><source></source></video>', 'write(1) autofocus><input autofocus>', "'><img "],
      benign: ['<a href="x"><b>y</b></a>', '<p class="a">text</p>', 'a > b < c', '"x" > "y"'],
    },
  ),
  pattern(
    'xss/bare-handler',
    /^[\s"'`]{0,4}on(?:load|error|click|focus|blur|mouse\w{2,8}|key\w{2,5}|zoom|submit|toggle|change|input|wheel|pointer\w{2,12}|scroll)\s{0,8}=\s{0,4}$|^[\s"'`]{1,4}(?:formaction|srcdoc)\s{0,4}=/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.equals,
      words: WORD.handler | WORD.script,
      attacks: ['"onzoom=', ' onload= ', "'formaction="],
      benign: ['online=', 'on='],
    },
  ),
  ...scriptUrlRules,
  pattern(
    'xss/data-url',
    /(?:^|["'`(=\s])data:(?:text\/html|text\/javascript|application\/javascript|text\/xml(?![^,]{0,24};base64)|;base64)[^,]{0,32},/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      attacks: ['data:text/html,<script>alert(1)</script>', 'data:text/html;base64,P', 'data:text/xml,<'],
      benign: [
        'data:image/png;base64,iVBORw0KGgo',
        'some data: text/html, and more',
        'data:text/xml;base64,PG5vdGUvPg==',
      ],
    },
  ),
  pattern(
    'xss/call',
    new RegExp(
      `(?:^|["'\`;:,(){}[\\]=+&|/<>!?\\s\\\\-])\\(?(?:${JS_NAMES})\\s{0,4}\\)?\\s{0,4}(?:\\?\\.)?(?:\\(\\s{0,4}(?:["'\`/]|\\d|document|window|location|self|this|name\\b|string|atob|unescape|decodeuri|cookie|origin|\\))|\`)`,
    ),
    {
      score: 3,
      quotable: true,
      words: WORD.script,
      attacks: ["';alert(1)//", '(alert)(1)', 'prompt`1`', "eval('x')"],
      benign: ['alert the user (twice)', 'confirm (or deny)', 'alertness(1)'],
    },
  ),
  pattern(
    'xss/break-out',
    new RegExp(
      `^[^\\n]{0,80}?["'\`)}\\]](?!,? |(?<=["'\`])--[a-z][\\w-]{0,40}["'\`])[ \\t]{0,4}(?:[;,+*/|&^?-]|\\}|\\)){1,8}[ \\t]{0,4}(?:if\\(!?)?(?:\\(?(?:${JS_NAMES})\\s{0,4}(?:[)(\`=]|\\?\\.\\()|\\[[\\d,]{0,8}\\]\\.\\w{1,12}\\((?:${JS_NAMES})\\b|reflect\\.\\w{1,12}\\(|array\\.from\\(|function\\(['"\`]|\\w{1,3}=(?:${JS_NAMES})[,;)]|with\\(document|(?:\\$|jquery)\\.(?:getscript|globaleval|get|post)\\(|new image\\b|(?:document|window|self)\\.\\w|location\\s{0,4}[=.]|top\\[|import\\(|constructor[.(])`,
    ),
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.script,
      attacks: [
        "';alert(1)//",
        '"-alert(1)-"',
        '"));if(!self.x)self.x=!alert(document.domain)',
        'x";setTimeout(name, 1)//',
        "';[1].map(alert)//",
        "';Reflect.apply(alert,null,[1])//",
        "';a=alert,a(1)//",
        "';Function('alert(1)')()//",
        "';alert?.(1)//",
        "';with(document)body.x//",
      ],
      benign: ["he said 'alert' (1)", 'a, b); confirm the order', 'call(); document the code'],
    },
  ),
  pattern('xss/template-literal', new RegExp(`\\$\\{\\s{0,4}(?:${JS_NAMES})\\s{0,4}[(\`]`), {
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    words: WORD.script,
    attacks: ['${alert(1)}', 'x`${eval(name)}`'],
    benign: ['${alerts}', '$ {alert}'],
  }),
  pattern(
    'xss/whole-call',
    new RegExp(
      `^${UNLESS_COPY}[\\s;+(!~-]{0,8}(?:window\\.|self\\.|top\\.|this\\.|parent\\.)?(?:${JS_NAMES}|reflect\\.\\w{1,16}\\.(?:call|apply))\\)?(?:\\?\\.)?(?:\\s{0,4}\\.(?:call|apply|bind)\\s{0,4}[(\`]|\\s{0,4}\\(["'\`\\d/][^\\n]{0,120}[)\`;/>]{1,4}\\s{0,4}$|\\(\\w[^\\n]{0,120}[)\`;/>]{1,4}\\s{0,4}$|\\(\\)|\`)`,
    ),
    {
      score: 5,
      bare: true,
      atStart: true,
      words: WORD.script,
      attacks: [
        'alert(1)',
        '(alert)(1)',
        'prompt.call(null,1)',
        'alert.apply(null, [1])',
        'Reflect.sort.call``',
        "eval('runExploit()')",
      ],
      benign: ['alert (system)', 'prompt', 'confirm your order'],
    },
  ),
  pattern(
    'xss/sink',
    /\bdocument\s{0,4}(?:\/\*[^*]{0,24}\*\/\s{0,4}\.\s{0,8}(?:cookie|write(?:ln)?|domain|body\.innerhtml|location)\b|\s{1,4}\.\s{1,8}cookie|(?:\/\*[^*]{0,24}\*\/)?\s{0,4}\[\s{0,4}["'`](?:cookie|domain|write|location))|\b(?:window|self|top|parent|frames|globalthis|this)\s{0,4}\[\s{0,4}(?:\/\*[^*]{0,24}\*\/)?\s{0,4}["'`/](?:[a-z\\]{0,16}["'`]\s{0,4}\+|alert|eval|src|location|document|\w{1,24}\/\.source)|string\s{0,4}[.[]\s{0,4}["']{0,1}fromcharcode|\b(?:(?:onerror|innerhtml|outerhtml)\s{0,4}=\s{0,4}(?:eval|alert|["'`]\s{0,4}<(?:img|svg|script|iframe))|onerror\s{0,4}=(?!\s?(?:"(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?'\w{1,12}'|remove\(\)))\s?;?\s?"|'(?:return (?:true|false)|this\.(?:style\.(?:display|visibility)\s?=\s?"\w{1,12}"|remove\(\)))\s?;?\s?'))\s{0,4}["'`])|throw\s{0,4}[/+]?\d?[/+]|constructor\s{0,4}\(\s{0,4}["'`][^\n]{0,64}?["'`]\s{0,4}\)\s{0,4}\(|\beval\s{0,4}\(\s{0,4}(?:atob|unescape|string|name|location|document)|\]\s{0,2}\.\w{1,12}\.(?:call|apply)`|\burl\s{0,4}\(\s{0,4}["']?javascript\b|\b(?:self|window|top)\s{0,4}(?:\/\*[^*]{0,24}\*\/)?\s{0,4}\[\s{0,4}(?:\/\*[^*]{0,24}\*\/)?\s{0,4}["'](?:\\x|alert|eval)/,
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: [
        'document["cookie"]',
        'document /*foo*/ .     cookie',
        'self[/*foo*/"alert"](1)',
        "_c.constructor('alert(1)')()",
        'eval(atob("YQ=="))',
        'String.fromCharCode(88)',
      ],
      benign: ['the document, cookie and domain', 'window [of opportunity]', 'the parent document'],
    },
  ),
  // A method that is named as text, or called through another, where a plain call would do.
  pattern(
    'xss/console',
    /\bconsole\s{0,2}(?:\[\s{0,2}["'`]\w{1,12}["'`]\s{0,2}\]|\.\s{0,2}\w{1,12}\s{0,2}\.(?:call|apply))\s{0,2}\(|\bprocess\s{0,2}\[\s{0,2}["'`]?(?:mainmodule|binding|env)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.script | WORD.process,
      attacks: ['console["info"](1)', 'console.info.call(this,1)', "process['mainModule']"],
      benign: ['console.log(1)', 'the console [info]'],
    },
  ),
  // What scripts of every site use too: in a document it says nothing by itself.
  pattern(
    'xss/page-object',
    /\bdocument\.(?:cookie|write(?:ln)?|domain|body\.innerhtml|location|createelement|getelement)\b|\bwindow\.(?:location|onerror|name|open)\s{0,4}[=.(]/,
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: ['document.cookie', 'window.location=x', "document.write('x')"],
      benign: ['the document, cookie and domain', 'window [of opportunity]'],
    },
  ),
  // The function that shows a box, handed on instead of called.
  pattern(
    'xss/handed-on',
    /\.(?:find|map|foreach|some|every|filter|reduce|sort|flatmap|findindex)\s{0,2}\(\s{0,2}(?:alert|confirm|prompt|eval)\s{0,2}\)|\(\s{0,2}\w{1,12}\s{0,2}=\s{0,2}(?:alert|confirm|prompt|eval)\s{0,2}\)\s{0,2}[(`]|\b\w{1,12}\s{0,2}=\s{0,2}(?:alert|confirm|prompt|eval)\s{0,2}[,;]\s{0,2}\w{1,12}\s{0,2}[(`]|\*\/\s{0,4}(?:alert|confirm|prompt|eval)\s{0,2}[(`]|\bimport\s{0,2}\(\s{0,2}["'`](?:https?:)?\/\//,
    {
      score: 5,
      quotable: true,
      words: WORD.script,
      attacks: [
        '[1].find(alert)',
        '(a=alert)(1)',
        'a=alert,a(1)',
        '*/alert(1)/*',
        'import(`//evil.example/x.js`)',
      ],
      benign: ['items.find(x)', 'a = alert', 'import(`./page.js`)', 'the alert, a (red) one'],
    },
  ),
  // What a probe calls, and calls that hide what is called.
  pattern(
    'xss/probe-call',
    new RegExp(
      `^${UNLESS_COPY}${/[\s;+(!~-]{0,8}(?:(?:window|self|top|this|parent)\.)?(?:alert|confirm|prompt|eval|reflect\.\w{1,16})\)?(?:\?\.)?(?:\s{0,4}\.(?:call|apply|bind)\s{0,4}[(`]|\s{0,4}\(\s{0,4}(?:\d{1,8}\s{0,4}\)|document\.|window\.|atob\s{0,2}\(|unescape\s{0,2}\(|string\.from|['"`]?xss|\/)|`)/.source}`,
    ),
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.script,
      attacks: [
        'alert(1)',
        'alert.apply(null, [1])',
        'confirm.call(null,1)',
        'eval(atob("YQ=="))',
        'prompt`1`',
      ],
      benign: ['alert(s)', 'eval() is evil', 'alert("Saved")', 'confirm (1)', 'Prompt (12).txt'],
    },
  ),
  pattern(
    'xss/declaration',
    /<!\s{0,4}entity\s{1,8}|<\?xml-stylesheet|<\?import\b|<!\[cdata\[\s{0,4}<\s{0,2}(?:script|img|svg|iframe|!|\]\])|\]\]>?\s{0,4}<!\[cdata\[|<!--\[if\s{1,4}(?:[gl]te?\s{1,4})?ie\b|<x:script|<html:script|!\[cdata\[<!--/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      attacks: ['<!ENTITY x "&#x3C;">', '<?import namespace="t">', '<!--[if gte IE 4]><x><![endif]-->'],
      benign: ['<![CDATA[plain text]]>', '<?xml version="1.0"?>', '<!-- note -->'],
    },
  ),
  pattern(
    'xss/style',
    /<style[^>]{0,64}>[^<]{0,256}(?:@import|@im\\{1,2}port|expression\s{0,4}\(|javascript:|-moz-binding|behaviou?r:|-o-link|\\[0-9a-f]{2})|\bstyle\s{0,4}=[^<]{0,64}?(?:expression\s{0,4}\(|javascript:|-moz-binding)|expr\/\*[^*]{0,24}\*\/ession|:\s{0,4}expression\s{0,4}\(\s{0,4}(?:alert|write|javascript|document)/,
    {
      score: 5,
      quotable: true,
      words: WORD.script | WORD.markup,
      attacks: [
        "<style>@import'http://x/xss.css'</style>",
        's" style=x:expression(alert(1))',
        "<style>*{x:url('javascript:a')}</style>",
      ],
      benign: ['<style>p{color:red}</style>', 'a matter of style = expression'],
    },
  ),
  pattern(
    'xss/unicode-markup',
    /\+adw-|\+ad4-|<\s?(?:s\sc\sr\si\sp\st|scr\sipt|f\so\sr\sm|i\sf\sr\sa\sm\se)(?:[\s/>]|$)|\[a\]script>|(?:=|^.{0,8})&\{(?!\d{0,4}\})[^}]{0,64}\}|<xss|"<xss|\(\s{0,4}<scr\)|<%\/|<\w{1,8}\s[^<>]{0,64}<script|\\xbcscript/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less | CHAR.plus | CHAR.ampersand | CHAR.bracket,
      attacks: [
        '+ADw-script+AD4-alert(1)',
        '<s c r i p t>',
        '-1&{document.cookie=true;};',
        "'';!--\"<XSS>=&{()}",
      ],
      benign: ['a & {b}', '<scope>', '1 + 2', '[a-z]&{2}'],
    },
  ),
  pattern(
    'xss/closing-script',
    /["'`;]\s{0,4}<\s{0,4}\/\s{0,4}(?:script|textarea|title|style|noscript)\s{0,8}>?/,
    {
      score: 4,
      quotable: true,
      chars: CHAR.less,
      words: WORD.markup,
      attacks: ["x'</script>", '"</textarea>'],
      benign: ['</p>', '"</b>"'],
    },
  ),
  // Out of an attribute and its tag, into an element of any name: what finds out whether that works.
  pattern('xss/out-of-tag', /^[^<>\n]{0,80}["']\s{0,2}\/?>\s{0,4}<[a-z][\w-]{0,40}[\s/>]/, {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.less,
    places: ['path', 'query', 'cookie', 'form'],
    attacks: ['a"><injectable>', "'><x y", '"/> <b>'],
    benign: ['<a href="x"><b>', 'a > b', '"a" > <b', 'x"> <3'],
  }),
  pattern('xss/namespace', /<xi:include|<xs:include/, {
    score: 5,
    quotable: true,
    words: WORD.entity,
    attacks: ['<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="http://x/"/></a>'],
    benign: ['xmlns="http://www.w3.org/2000/svg"', '<hr xmlns:xi="http://www.w3.org/2001/XInclude">'],
  }),
  // Behind the number or the name that a script was to have.
  pattern(
    'xss/behind-value',
    /^[\w.-]{0,40};\s{0,2}(?:alert|confirm|prompt)[(`][^\n]{0,80}[)`]\s{0,2};?\s{0,2}(?:\/\/|$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon,
      words: WORD.script,
      attacks: ['1;alert(1);//', 'name;prompt`1`'],
      benign: ['on; alert (red)', 'a;alerts(1)'],
    },
  ),
]
