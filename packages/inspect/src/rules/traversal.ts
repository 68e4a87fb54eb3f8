import { type PatternRule, pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { ENCODED_STEPS } from './encoded-steps.ts'
import { isNameInBody, sensitiveFile } from './sensitive-file.ts'

/** The rule, but for the names of a JSON document: packages are named by their paths (`file:../../lib`). */
function outsideDocumentNames(rule: PatternRule): PatternRule {
  return {
    ...rule,
    find: (reading, parts) => (isNameInBody(reading) ? undefined : rule.find(reading, parts)),
  }
}

const steps: PatternRule = outsideDocumentNames(
  pattern(
    'traversal/steps',
    /(?:^|[=/\\"'\s,;:(])(?:\.{2,4}|\.%00\.|\.;\.|\.\.;)[/\\]{1,4}(?:[\w.-]{0,32}[/\\]{1,4}){0,4}?\.{1,4}[/\\]|(?:^|[/\\])\.\.;[/\\]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      places: ['path', 'query', 'header', 'cookie', 'file-name', 'name'],
      attacks: [
        '../../../x',
        '....//....//etc',
        '..\\..\\boot',
        '/static/img/../../x',
        '.../.../WINDOWS/win.ini',
      ],
      benign: ['../image.png', 'wait... / what', '1..2'],
    },
  ),
)

/** Paths that leave their directory, and files that only an intruder asks for. */
export const traversalRules: readonly Rule[] = [
  steps,
  // Encodings that no standard knows and one server or another undid: what stands between two pairs of dots
  // is a slash.
  pattern('traversal/encoded-steps', ENCODED_STEPS, {
    score: 5,
    quotable: true,
    chars: CHAR.percent | CHAR.wide | CHAR.dots | CHAR.slash | CHAR.backslash,
    words: 0,
    attacks: [
      '..%u2215..%u2215etc',
      '..%c0%9v..%c0%9v',
      '..0x2f..0x2f',
      '..%255c..%255c',
      '..%f8%80%80%80%af..%f8%80%80%80%af',
      '%c0%2e%c0%2e/x',
      '0x2e0x2e\\x',
      './\\/./x',
    ],
    benign: [
      'wait..%3f',
      'a..b..c',
      '../../packages/app',
      'я...я...я не знаю',
      '我...我...我不知道',
      'öh...äh...ja',
    ],
  }),
  // The same in numbers, without anything between them: one word to whoever reads words.
  pattern('traversal/hex-steps', /0x2e0x2e0x(?:2f|5c)/, {
    score: 5,
    quotable: true,
    words: WORD.hexPath,
    attacks: ['0x2e0x2e0x2fboot.ini', '0x2e0x2e0x5c0x2e0x2e0x5cboot.ini'],
    benign: ['0x2e0x2f', '0x2e0x2e0x30'],
  }),
  // Out of a file, as if it were a folder: the name before the steps is only there for who looks at it.
  pattern(
    'traversal/behind-file',
    /[\w-]\.(?:jpe?g|png|gif|webp|svg|pdf|txt|html?|css|js|json|xml|zip|mp\d)[?#]?[/\\](?:\.\.[/\\]){2}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      attacks: ['2019/02/x.jpg#/../../../../themes/a/x.jpg', 'a.png/../../b', 'x.pdf\\..\\..\\y'],
      benign: ['a.jpg ../../b', '../../a.jpg', 'node.js/../x', './a.js ../..'],
    },
  ),
  // In a form, where no program's own paths stand.
  pattern('traversal/form-steps', /^\s{0,4}(?:\.{2,4}[/\\]{1,4}){2}/, {
    score: 5,
    bare: true,
    atStart: true,
    chars: CHAR.dots,
    places: ['form'],
    attacks: ['../../../mailbox/x.jsp'],
    benign: ['../image.png', '.. / ..'],
  }),
  pattern(
    'traversal/secret-file',
    /^\s{0,4}(?:\.{1,2}[/\\]{1,2}){1,8}(?:[\w-]{1,32}[/\\]){0,4}(?:(?:web|faces-config|struts|applicationcontext)\.xml|wp-config\.php|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)|tomcat-users\.xml|\.git[/\\]config)\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.slash | CHAR.backslash,
      words: WORD.file,
      places: ['body'],
      attacks: ['../web.xml', '../../wp-config.php', '../.htpasswd'],
      benign: ['../package.json', 'web.xml', '../.env'],
    },
  ),
  // A path longer than the server keeps: what it appends is cut off.
  pattern('traversal/truncation', /^[/\\]?(?:([a-z\d])\1{1,3000}|\w{1,64}[/\\])\.{5,3000}(?:$|[{/\\])/, {
    score: 5,
    atStart: true,
    chars: CHAR.dots,
    places: ['query', 'form', 'cookie'],
    attacks: ['/aaaaaaaaaaaaaaaaaaaaaaaaaaaa......{file}', 'page/......................'],
    benign: ['ahhh.....', 'and so on.....', 'hmm...... ok'],
  }),
  pattern('traversal/placeholder', /^[/\\][\w./\\]{0,400}\{file\}/, {
    score: 5,
    atStart: true,
    chars: CHAR.brace,
    places: ['query', 'form', 'cookie'],
    attacks: ['/{FILE}', '/..../{file}'],
    benign: ['/users/{id}', '{file}'],
  }),
  // What a server cuts off behind the semicolon decides who may come in; the file type decides what is open.
  pattern(
    'traversal/suffix',
    /;(?:[\r\n\u0000]{1,4}\w{0,16})?\.(?:jspx?|js|css|png|gif|jpe?g|ico|html?|do|action|svg|json)$|(?:^|\/)(?:;|%3b)\/|\.aspx\/(?:x|y|[\w-]{1,12}\.js)?$/,
    {
      score: 5,
      chars: CHAR.semicolon,
      places: ['path', 'query'],
      attacks: ['/app/rest/users;.jsp', '/center/api/files;.js', '/;/admin/page', '/a.json;\na.css'],
      benign: ['/a;v=1/b', '/a;b.js', '/files/a;b'],
    },
  ),
  // One program cuts it off and lets the caller in, the next one serves what is behind it.
  pattern(
    'traversal/path-parameter',
    /\/(?:;|%3b)(?![\w.-]{1,40}=)[\w-]|[\w-];\/|\.(?:jspa?|action|do|php|aspx)(?:;|%3b)$/,
    {
      score: 5,
      chars: CHAR.semicolon,
      places: ['path'],
      attacks: ['/admin;/users', '/admin/;page', '/x/Y.jspa;', '/admin/%3bpage'],
      benign: ['/a;v=1/b', '/;jsessionid=5', '/a/b;c', '/;'],
    },
  ),
  // Nobody encodes a letter, and nobody twice.
  pattern('traversal/twice-encoded-letter', /%25(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/, {
    score: 5,
    chars: CHAR.percent,
    places: ['path'],
    attacks: ['/%2577ebui_wsma_http', '/%2561dmin'],
    benign: ['/a%252fb', '/a%2520b', '/%41'],
  }),
  // A client resolves such a path before it asks.
  pattern(
    'traversal/unresolved-path',
    /[/\\]\.\.[/\\](?!(?:[\w.~%-]{1,64}[/\\]){0,8}[\w.~%-]{1,128}\.(?:png|jpe?g|gif|svg|webp|avif|css|js|map|woff2?|ttf|ico)$)/,
    {
      score: 5,
      chars: CHAR.dots,
      places: ['path'],
      attacks: ['/res/../admin/diagnostic.jsp', '/a/../b'],
      benign: ['/css/../img/a.png', '/a..b/c'],
    },
  ),
  pattern(
    'traversal/source-file',
    /^\.\.[/\\](?:\.\.[/\\]){0,4}(?:[\w-]{1,32}[/\\]){0,4}(?:\.(?:env|git|ssh|aws|npmrc|netrc|htpasswd)\b|[\w.-]{1,40}\.(?:json|env|[cm]?[jt]sx?|py|rb|php|java|go|cs|ya?ml|toml|ini|conf|key|pem|p12|db|sqlite3?|sql|bak|lock|properties|log|config|xml|aspx?|jspx?|cfg|inc|txt|htaccess|htpasswd)$)/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.dots,
      places: ['query', 'form', 'cookie', 'file-name'],
      attacks: ['../package.json', '../src/server.ts', '../.env', '../config/database.yml'],
      benign: ['../image.png', '../page', '../docs/guide.html'],
    },
  ),
  pattern(
    'traversal/body-steps',
    /\.{4}[/\\]{1,4}\.{4}[/\\]|(?:\.{2,3}[/\\]{1,4}){6}|(?:\.{2,3}[/\\]{1,4}){2,5}(?:etc|var|usr|proc|boot|root|home|dev|opt|tmp|windows|winnt|inetpub|program files|users|web-inf)\b|(?:\.\.\\{1,4}){2}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      places: ['body'],
      attacks: ['../../../etc/x', '..\\..\\windows', '../../../../../../x'],
      benign: ['see ../../src/index.ts for more', "import x from '../../a.ts'", '../../packages/app'],
    },
  ),
  pattern(
    'traversal/rooted',
    /^(?:[\w.-]{0,32}[/\\]{1,4}){0,8}(?:\.{2,160}|\.%2e|0x2e\.?\s?|\.{4,160})(?:[/\\]|0x2f|0x5c)|^[/\\]{1,4}\.{1,2}[/\\]{1,4}\.\.|\.{4}[/\\]\.\.\/|(?:\.\.0x(?:5c|2f)){1,8}/,
    {
      score: 4,
      atStart: true,
      chars: CHAR.dots,
      places: ['query', 'body', 'header', 'cookie', 'file-name', 'path'],
      attacks: ['/../file', '/..../..../x'],
      benign: ['a.b/c', 'x..y'],
    },
  ),
  pattern(
    'traversal/root-escape',
    /^[/\\]{1,4}(?:\.{2,160}[/\\]|\.{1,2}[/\\]{1,4}\.{2}|\.{3,160})|^[/\\](?:[^/\\\s]{1,24}[/\\]){0,4}\.{2,160}[/\\]{1,4}(?:\.{2,160}|\{)|^[/\\]{1,4}\.\.0x|^[/\\]?(?:0x2e){2}|0x5c0x2e|^\.\.\\|^[/\\](?:\.{1,2}[/\\]{1,4}){3}/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.dots | CHAR.slash,
      places: ['query', 'body', 'header', 'cookie', 'file-name'],
      attacks: ['..\\x', '/../{file}', '////../../x', '/..../..../x', '/..0x5c..0x5cx', '/./../../x'],
      benign: ['/a/b', '../x', '... and so on'],
    },
  ),
  sensitiveFile,
  // The name of the file gives the path away, whatever its separators were encoded as.
  pattern(
    'traversal/mention',
    /\b(?:etc(?:[^a-z\s]|[%0\u0080-\uffff][\w%]{1,5}){1,4}(?:passwd|shadow)\b|boot\.ini\b|inetpub[/\\]|win\.ini\b|web\.xml\b|\.htpasswd\b)|(?:%[0-9a-z]{2}|0x2f|0x5c|%u[0-9a-f]{4})(?:passwd|boot\.ini|win\.ini)\b/,
    {
      score: 5,
      quotable: true,
      bare: true,
      chars: CHAR.slash | CHAR.dots | CHAR.space | CHAR.percent | CHAR.wide | CHAR.backslash | CHAR.control,
      words: WORD.file,
      attacks: ['x/etc/passwd', '..%c0%5cetc%c0%5cpasswd'],
      benign: ['passwd', 'etc'],
    },
  ),
  // A folder of static files whose address lacks its last slash: one step up from it (nginx `alias`).
  pattern(
    'traversal/alias-step',
    /^\/(?:[\w-]{1,24}\/){0,2}(?:static|assets?|imgs?|images?|js|css|media|uploads?|files?|public|content|resources?|libs?|dist|docs?|downloads?|i18n)\.\.\//,
    {
      score: 5,
      atStart: true,
      places: ['path'],
      chars: CHAR.dots,
      attacks: ['/static../app.py', '/app/media../.env'],
      benign: ['/static/../a.css', '/wait../more', '/static.../a', '/static..a'],
    },
  ),
  pattern(
    'traversal/whole-file',
    /^\s{0,2}(?:file:\/{1,3}|~[\w-]{0,16}[/\\])(?:[\w.-]{1,40}[/\\]){0,4}\.(?:env|htpasswd|npmrc|git-credentials|netrc)(?:\.[\w-]{1,16})?\s{0,2}$|^\s{0,2}[/\\]{2}[?.][/\\](?:[a-z]:|unc|globalroot)[/\\]/,
    {
      score: 5,
      bare: true,
      atStart: true,
      places: ['query', 'form', 'body', 'cookie', 'header'],
      chars: CHAR.slash | CHAR.backslash,
      attacks: ['~/.env', 'file:/.env', 'file:///.env.local', '\\\\?\\C:\\.env', '//./c:/windows/win.ini'],
      benign: ['~/environment', 'file:./lib', 'see ~/.env for it', '//cdn.example/a', './.env.md'],
    },
  ),
  // Who lists it looks for the next file.
  pattern('traversal/system-folder', /^\s{0,2}(?:file:)?\/{1,3}(?:etc|proc\/(?:self|1))\/?\s{0,2}$/, {
    score: 5,
    bare: true,
    atStart: true,
    places: ['query', 'form'],
    chars: CHAR.slash,
    words: WORD.file,
    attacks: ['/etc/', 'file:///etc', '/proc/self/'],
    benign: ['/etcetera', 'etc/', '/home/', '/etc/app'],
  }),
  pattern('traversal/system-folder-url', /^\s{0,2}file:\/{1,3}(?:etc|proc|root)\/?\s{0,2}$/, {
    score: 5,
    atStart: true,
    places: ['body'],
    chars: CHAR.scheme,
    words: WORD.file,
    attacks: ['file:///etc/', 'file:///proc'],
    benign: ['file:///etc/app', 'file:///home/ann'],
  }),
  pattern(
    'traversal/wrapper',
    /(?<![\w+.-])(?:data:\/\/|php:\/\/(?:filter|input|stdin|stdout|stderr|memory|temp|output|fd)|(?:phar|zip|rar|zlib|bzip2|glob|expect|ogg|compress\.(?:zlib|bzip2)|ssh2\.(?:shell|exec|tunnel|sftp|scp)|ssh2):\/\/)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.scheme,
      attacks: ['php://filter/convert.base64-encode/resource=index', 'phar://x.phar/a', 'zip://archive.zip'],
      benign: ['https://example.com', 'git+file', 'profile://x'],
    },
  ),
  // What PHP and others open as a file, with the sender's text in it.
  // Of text that is neither encoded nor a program, nothing is run.
  pattern(
    'traversal/data-url',
    /^\s{0,4}data:text\/plain(?:;base64|,|\s{0,4}$|;[^,<]{0,60}(?:,[^<]{0,80})?<)/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.colon,
      words: WORD.script,
      places: ['query', 'body'],
      attacks: ['data:text/plain;base64,SSBsb3ZlIFBIUAo=', 'data:text/plain'],
      benign: [
        'data:image/png;base64,iVBORw0KGgo',
        'data: text/plain, and more',
        'data:text/plain;charset=utf-8,Hello%2C%20World!',
      ],
    },
  ),
  // A link of Markdown that leaves the folder of uploads for a file that only the server reads.
  pattern(
    'traversal/linked-file',
    /\]\([^)\s]{0,200}?(?:\.\.\/){3,40}(?:etc\/(?:passwd|shadow|hosts)|proc\/(?:self|\d)|(?:\.\.~|root|home\/\w{1,32})\/\.|\.ssh\/|var\/log\/|opt\/\w{1,24}\/embedded)/,
    {
      score: 5,
      chars: CHAR.paren,
      words: WORD.file,
      attacks: [
        '![a](/uploads/1111/../../../../../etc/passwd)',
        'see ![a](/uploads/1/../../../../..~/.ssh/id_rsa)',
      ],
      benign: ['[docs](../../../docs/etc.md)', '![a](../../../img/a.png)', '[a](/etc/passwd)'],
    },
  ),
  pattern('traversal/file-url', /^\s{0,4}(?:\w{1,16}=)?file:\/{2,3}[a-z./]/, {
    score: 5,
    quotable: true,
    bare: true,
    atStart: true,
    // Measurements say which page they were made on.
    unlessNamed: /^(?:dl|dr|document_?(?:location|referrer|ur[il])|page_?(?:url|location)|referr?er)$/,
    chars: CHAR.scheme,
    attacks: ['file:///etc/x', 'url=file:///x'],
    benign: ['profile://x', 'at file:///home/ann/app.js'],
  }),
  // Behind a name without a dot only where that is all: `self::$data` is PHP.
  pattern(
    'traversal/stream',
    /(?:\.\w{1,8}\s?|[\\/][\w.-]{0,64}|^(?!(?:self|parent|static)\b)[\w.-]{1,64})::\$data\b|:(?::|\$i30:)\$index_allocation\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      attacks: [
        'index.asp::$DATA',
        '/admin:$i30:$INDEX_ALLOCATION/x.asp',
        'c:\\site\\web::$DATA',
        'secret::$data',
      ],
      benign: ['Foo::$data2', 'a::$b', 'return self::$data;', 'self::$data', '$this->keep(Store::$data);'],
    },
  ),
  pattern('traversal/network-share', /^\s{0,4}\\\\[\w.:[\]-]{1,80}\\[\w$ .-]{1,80}(?:\\|$)/, {
    score: 5,
    bare: true,
    atStart: true,
    chars: CHAR.backslash,
    unlessNamed: /(?:^|[._-])(?:unc|share)(?:_?path)?$/,
    places: ['query', 'body', 'header', 'cookie'],
    attacks: ['\\\\::1\\c$\\users\\default\\ntuser.dat'],
    benign: ['a\\b', '\\\\'],
  }),
  pattern(
    'traversal/null-byte',
    /\.\w{1,5}\u0000|\u0000\.\w{1,5}|%00|[\\/]\u0000|^[\u0020-\u007e]{1,200}\u0000[\u0020-\u007e]{0,40}$/,
    {
      score: 5,
      // Revel ends the entries of its signed cookies so.
      unlessNamed: /^revel_(?:session|flash|errors)$/,
      chars: CHAR.control | CHAR.percent,
      places: ['path', 'query', 'header', 'cookie', 'file-name'],
      attacks: ['shell.php\u0000.jpg', 'anything%00'],
      benign: ['100%', 'a.b'],
    },
  ),
]
