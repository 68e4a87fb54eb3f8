import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Files that hold the secrets of an application, by their names. */
const SECRETS =
  '(?:\\.env(?:\\.\\w{1,16})?|\\.(?:git|svn|hg)[/\\\\][\\w./-]{1,60}|\\.(?:htpasswd|htaccess|git-credentials|npmrc|pgpass|netrc|dockerenv|dockercfg)|\\.(?:ssh|aws|kube|docker)[/\\\\][\\w.-]{1,40}|id_(?:rsa|dsa|ecdsa|ed25519)|wp-config\\.php|web\\.config|config(?:uration)?\\.(?:php|inc)|localsettings\\.php|settings\\.(?:php|py)|database\\.ya?ml|parameters\\.ya?ml|secrets?\\.(?:ya?ml|json)|credentials(?:\\.(?:xml|json|ya?ml))?|appsettings(?:\\.\\w{1,20})?\\.json|application(?:-\\w{1,16})?\\.(?:properties|ya?ml)|tomcat-users\\.xml|master\\.key|hudson\\.util\\.secret|password\\.properties|sam|system32)'

const STEPS_TO_SECRET = new RegExp(
  `^\\s{0,4}[/\\\\]?(?:[\\w-]{1,24}[/\\\\]){0,3}(?:\\.{1,2}[/\\\\]{1,2}){1,16}(?:[\\w.-]{1,32}[/\\\\]){0,4}${SECRETS}\\s{0,4}$`,
)
/** Settings that name such a file: of Compose, of builds. */
const NAMES_FILE = /env_?files?|extends|include|\$ref|schema|ignore|exclude/

/** One or more steps up to a file of secrets, in a body. */
function findStepsToSecret(reading: Reading): Span | undefined {
  const { place, lower } = reading
  if (place === 'path' || place === 'name') return undefined
  const found = STEPS_TO_SECRET.exec(lower)
  if (found === null || !lower.includes('..') || NAMES_FILE.test(reading.name)) return undefined
  return { start: 0, end: found[0].length }
}

const NAMED =
  /^(?:(?:file|repo|user|object|bucket|project|setting|template|theme|folder|dest(?:ination)?|target|upload|save|output|model|image|avatar)?_?(?:name|key|slug|dir(?:ectory)?|folder|value)|path|folder|file|locale|lang|theme|template|destination)$/
const OUT_OF_NAME = /^\s{0,2}(?:[\w.-]{1,32}[/\\])?(?:\.\.[/\\]{1,2}){3,32}[\w.-]/
/** Programs that build others name their parts so. */
const PART_OF_BUILD =
  /node_modules|(?:^|[/\\])(?:src|packages|lib|dist)[/\\]|\.(?:[cm]?[jt]sx?|s?css|less|json|vue|svelte|md|html)$/

/** A page of a server, out of the folder for it. */
const PAGE_OUT_OF_NAME =
  /^\s{0,2}(?:[\w.-]{1,32}[/\\])?\.\.[/\\][\w./\\-]{1,120}\.(?:jspx?|phtml|aspx?|ashx|war|cfm)\s{0,2}$/
const FILE_NAMED = /^(?:upload(?:ed)?_?)?file_?(?:name|path)?$/

/** Three steps up, under a name of what may stand nowhere else. */
function findStepsInName(reading: Reading): Span | undefined {
  if (!reading.fromStart || reading.place !== 'body') return undefined
  const { lower } = reading
  const found = OUT_OF_NAME.exec(lower)
  if (PAGE_OUT_OF_NAME.test(lower) && FILE_NAMED.test(reading.name)) return { start: 0, end: lower.length }
  if (found === null || PART_OF_BUILD.test(lower) || !NAMED.test(reading.name)) return undefined
  return { start: 0, end: found[0].length }
}

const FETCHED =
  /^(?:clone|image|img|avatar|icon|logo|(?:web)?hook|callback|feed|proxy|remote|repo(?:sitory)?|download|import|fetch|preview|pdf|media|attachment)_?(?:url|addr(?:ess)?|link|src)$/

/** A file of the server, under the name of an address that is fetched. */
function findFileTarget(reading: Reading): Span | undefined {
  if (!reading.fromStart) return undefined
  const found = /^\s{0,2}file:\/{1,3}[\w.%/-]/.exec(reading.lower)
  return found === null || !FETCHED.test(reading.name) ? undefined : { start: 0, end: found[0].length }
}

const WRITTEN_NAME = /save|dest|output|out_?file|upload|write|export|dump|log_?file|cache_?file/
const PAGE = /^\s{0,2}[\w./\\: -]{0,200}[/\\][\w.-]{1,60}\.(?:php\d?|phtml|jspx?|aspx?|ashx|war)\s{0,2}$/

const FILE_NAME = /^(?:upload(?:ed)?_?)?file_?(?:name|path)$/
const NAME_OF_PAGE = /^\s{0,2}[\w -]{1,80}\.(?:jspx?|aspx?|ashx|asmx|cfm|phtml)\s{0,2}$/

/**
 * A page of the server, under a name that says that something is written there, or as what a field of a form
 * calls a file: an upload of that name is refused as well.
 */
function findWrittenPage(reading: Reading): Span | undefined {
  const { place, lower } = reading
  const isWritten =
    (PAGE.test(lower) && WRITTEN_NAME.test(reading.name)) ||
    (place === 'form' && NAME_OF_PAGE.test(lower) && FILE_NAME.test(reading.name))
  return isWritten ? { start: 0, end: lower.length } : undefined
}

const MOVED_PAGE = /\.(?:jspx?|php\d?|phtml|aspx?|ashx|asa|cfm)(?:[;%]|\/?$)/

/**
 * A page of the server as the new name of a file (RFC 4918 section 10.3); one on the way to the file is the
 * service itself (`/remote.php/dav/files/a`).
 */
function findMovedPage(reading: Reading): Span | undefined {
  const found = MOVED_PAGE.exec(reading.lower)
  if (found === null || reading.name !== 'destination') return undefined
  return { start: found.index, end: found.index + found[0].length }
}

/** Files of a server that nobody asks for through an application. */
export const serverFileRules: readonly Rule[] = [
  {
    id: 'traversal/steps-to-secret',
    family: 'traversal',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.dots,
    words: 0,
    needs: [STEPS_TO_SECRET],
    find: findStepsToSecret,
    attacks: ['../.env', '../../config/database.yml', '../config.php', '..\\..\\web.config'],
    benign: ['../tsconfig.json', './.env', '../../node_modules/x', '.env', 'see ../.env'],
  },
  {
    id: 'traversal/steps-in-name',
    family: 'traversal',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.dots,
    words: 0,
    places: ['body'],
    needs: [OUT_OF_NAME, PAGE_OUT_OF_NAME],
    find: findStepsInName,
    // By the name of the field: the cases are in `test/management.test.ts`.
    attacks: [],
    benign: ['../../../x', '../a'],
  },
  {
    id: 'ssrf/file-target',
    family: 'ssrf',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.colon,
    words: WORD.host,
    needs: [/file:\//],
    find: findFileTarget,
    // By the name of the field: the cases are in `test/management.test.ts`.
    attacks: [],
    benign: ['file:///home/ann/a.txt'],
  },
  // A file of the system as the option of what is written into a text: a macro, a tag, a directive.
  pattern(
    'traversal/option-steps',
    /[{<[(][^{}<>\n]{0,80}[=:]\s{0,2}["']?(?:\.\.[/\\]){3,16}(?:etc|proc|var\/log|windows|winnt|root)[/\\]\w/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      attacks: ['{{{+figlet,+font=../../../../../etc/passwd}}}', '<x src="../../../proc/self/environ">'],
      benign: ['[a](../../../etc/notes.md)', '{a: ../../../src/x}', '<a href="../../../x">'],
    },
  ),
  // The whole value is a file that begins with a dot, from the root of something.
  pattern(
    'traversal/dot-file',
    /^\s{0,2}(?:[\w./-]{0,80}[/\\])?\.(?:env(?:\.(?:local|prod(?:uction)?|dev|bak|old))?|git[/\\](?:config|head|index|logs[/\\]\w{1,16})|svn[/\\](?:entries|wc\.db)|htpasswd|htaccess|git-credentials|dockerenv|npmrc|pgpass|netrc)\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.slash | CHAR.backslash,
      words: WORD.probe,
      places: ['query', 'form', 'cookie', 'header'],
      attacks: ['/.env', '/app/.env', '/.git/HEAD', '/var/app/.htpasswd'],
      benign: ['.env', '/env', '/a/.envoy', 'see /.env'],
    },
  ),
  // The whole value is the file of one product that holds its secrets, where something is asked for.
  pattern(
    'traversal/settings-file',
    /^\s{0,2}(?:\.?[/\\]{1,2}(?:[\w-]{1,32}[/\\]){0,4})?(?:wp-config\.php|app[/\\]etc[/\\](?:env\.php|local\.xml)|sites[/\\]default[/\\]settings\.php|config[/\\]database\.ya?ml|web-inf[/\\]web\.xml)(?:\.(?:bak|old|save|orig|txt)|~)?\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      words: WORD.probe,
      places: ['query', 'cookie'],
      attacks: ['wp-config.php', '/wp-config.php', '/app/etc/env.php', './sites/default/settings.php'],
      benign: ['wp-config-sample.php', 'functions.php', 'see wp-config.php', 'settings.php'],
    },
  ),
  // One server takes what follows the semicolon for a parameter, the next for a step up.
  pattern(
    'traversal/matrix-steps',
    /(?:^|[/\\])\.{1,2};[/\\]|\w\.\.;[/\\]|[/\\]\.\.;(?:[\w=]{1,24})?(?:[/\\]|$)/,
    {
      score: 5,
      chars: CHAR.semicolon,
      attacks: ['/admin..;/x', '..;/..;/manager/html', '/admin/..;/', '/x/..;a=b/manager'],
      benign: ['wait..; then', 'a/b;c/d', '..; /'],
    },
  ),
  // A step up as all that is asked for.
  pattern('traversal/one-step', /^[/\\]\.\.[/\\]?$/, {
    score: 5,
    atStart: true,
    chars: CHAR.dots,
    places: ['query', 'name'],
    attacks: ['/..', '\\..\\', '/../'],
    benign: ['..', '/...', '/..a', 'a/..'],
  }),
  // From the root, and up from there.
  pattern('traversal/rooted-steps', /^\s{0,2}[/\\]{1,2}(?:\.\.[/\\]{1,2}){2,16}[\w.-]/, {
    score: 5,
    atStart: true,
    chars: CHAR.dots,
    places: ['body'],
    attacks: ['/../../admin', '\\..\\..\\x'],
    benign: ['../../a', '/a/../b', '/../a'],
  }),
  // Up, and into the folder that a server of pages serves or runs.
  pattern(
    'traversal/web-root',
    /\.\.[/\\]{1,2}(?:[\w.-]{1,24}[/\\]{1,2}){0,3}(?:webapps|wwwroot|htdocs|public_html|inetpub|httpdocs|docroot)(?:[/\\]|$)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      attacks: ['../webapps/ROOT/x.jsp', '..\\..\\inetpub\\wwwroot\\x.aspx'],
      benign: ['webapps/ROOT', '../web/apps', '/var/www/htdocs'],
    },
  ),
  // A page below the folder that a server runs, from the root of a disk.
  pattern(
    'traversal/served-page',
    /(?:^|[\s=,;"'])(?:[a-z]:[/\\]{1,2}|\/)(?:[^/\\\n"'<>|:;,]{1,40}[/\\]{1,2}){0,6}(?:webapps|wwwroot|htdocs|www|public_html|httpdocs)[/\\](?:[\w .-]{1,40}[/\\]{1,2}){0,6}[\w.-]{1,40}\.(?:php\d?|phtml|jspx?|aspx?|ashx|asmx|cfm)\s{0,2}$/,
    {
      score: 5,
      quotable: true,
      bare: true,
      words: WORD.page,
      places: ['query', 'body', 'cookie', 'header'],
      attacks: [
        'C:\\Program Files\\Apache\\webapps\\ROOT\\a.jsp',
        'D:\\phpstudy\\WWW\\a.php',
        'op -file C:\\a b\\webapps\\ROOT\\x.jsp',
        '/opt/lampp/htdocs/a.php',
      ],
      benign: [
        'C:\\webapps\\ROOT\\readme.txt',
        'https://www.example/www/a.php',
        '/www/a.png',
        'webapps/ROOT/a.jsp',
        'D:\\photos\\a.php.jpg',
      ],
    },
  ),
  // Segments that a client undoes before it asks, or that end where a server stops reading.
  pattern(
    'traversal/hidden-segment',
    /\/(?:%2e){1,2}(?:\/|$)|\/(?:%0[09ad]){1,4}\/|(?:%23|%3f)\.(?:css|js|ico)$|(?:^|\/);[\w=.-]{0,60}\/|^\/{1,2}\\\w/,
    {
      score: 5,
      places: ['path'],
      chars: CHAR.percent | CHAR.semicolon | CHAR.backslash,
      attacks: ['/%2e/admin', '/%0a/admin', '/admin%23.css', '/;a=b/admin', '/\\admin'],
      benign: ['/a%2eb/c', '/C%23.png', '/;jsessionid=5', '/a;b=c/d', '/why%3f'],
    },
  ),
  // RFC 3986 section 6.2.2: a client leaves the letters of a word as they are, and takes single dots out.
  pattern(
    'traversal/odd-segment',
    /%(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])(?:[a-z]|%[4-7][0-9a-f]){2}|[a-z]{2}%(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])|^\/\.\/(?!(?:[\w.~%-]{1,64}\/){0,8}[\w.~%-]{1,128}\.(?:png|jpe?g|gif|svg|webp|css|js|map|woff2?|ttf|ico|u?deb|xz|gz|bz2|zst|gpg)$)(?!(?:in)?release$|(?:packages|sources)$)|\.(?:css|js|png|jpe?g|gif|ico|svg|woff2?);\/|;\w{0,12}=?\.(?:css|js|png|jpe?g|gif|ico|svg|woff2?)$|\.(?:php\d?|jspx?|aspx?)\/\.(?:css|js|png|jpe?g|gif|ico)$/,
    {
      score: 5,
      places: ['path'],
      chars: CHAR.percent | CHAR.semicolon | CHAR.slash,
      attacks: [
        '/%61dmin',
        '/admi%6e',
        '/./RestAPI/Connection',
        '/x/y.css;/admin',
        '/admin;x=.css',
        '/x.php/.css',
      ],
      benign: [
        '/./img/a.png',
        '/./InRelease',
        '/./Release.gpg',
        '/./Packages',
        '/./pool/a_1.0_amd64.deb',
        '/a%20b',
        '/export/%61',
        '/%C3%A9',
        '/a;v=1/b',
        '/x.css',
        '/a/./b',
      ],
    },
  ),
  // A page of the server put where anybody can ask for it; what follows its name is for the server's check.
  pattern('upload/put-page', /\.(?:jspx?|php\d?|phtml|aspx?|ashx|cfm)(?:\/|%20|%00|::\$data|\.)$/, {
    score: 5,
    places: ['path'],
    words: WORD.page,
    attacks: ['/x.jsp/', '/x.jsp%20', '/x.aspx::$data'],
    benign: ['/x.jsp', '/index.php/page'],
  }),
  // What one server takes for a script and the next for a picture.
  pattern(
    'upload/destination',
    /\.(?:aspx?|php\d?|jspx?|cer|asa);\.?(?:jpe?g|png|gif|txt|html?)$|\.(?:jpe?g|png|gif|bmp|webp)\.(?:php\d?|phtml|phar|jspx?|aspx?)$|^[\w.-]{1,40}\|[\w.-]{1,64}\.(?:php\d?|phtml|phar|jspx?|aspx?)$/,
    {
      score: 5,
      places: ['header', 'path', 'query', 'form'],
      words: WORD.page,
      attacks: ['http://x.example/shell.asp;.jpg', 'http://x.example/q.gif.php', 'Rename|q8x2.php'],
      benign: ['/a.jpg', 'x.asp; y.jpg', '/gif.php', 'a.gif|b.gif'],
    },
  ),
  {
    id: 'upload/moved-page',
    family: 'upload',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.page,
    places: ['header'],
    needs: [MOVED_PAGE],
    find: findMovedPage,
    // By the name of the header: the cases are in `test/header-forms.test.ts`.
    attacks: [],
    benign: ['https://dav.example/a.php'],
  },
  {
    id: 'upload/written-page',
    family: 'upload',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.page,
    places: ['query', 'form', 'body'],
    needs: [PAGE, NAME_OF_PAGE],
    find: findWrittenPage,
    // By the name of the parameter: the cases are in `test/exploits.test.ts`.
    attacks: [],
    benign: ['./app/index.jsp', '/a/b.php'],
  },
  // The root of an application in .NET, and a folder's own name with a step up behind it.
  pattern(
    'traversal/application-root',
    /^\s{0,2}~[/\\](?:web\.config|app_data[/\\]|global\.asax|bin[/\\])|^(?:\.[/\\]){1,8}\.\.[/\\]?$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.slash | CHAR.backslash,
      places: ['query', 'form'],
      attacks: ['~/web.config', '~\\App_Data\\x.mdf', './..'],
      benign: ['~/images/a.png', './a', '..'],
    },
  ),
  // Settings, logs and histories of servers and their users, by a whole path from the root.
  pattern(
    'traversal/server-path',
    /^\s{0,2}(?:[a-z]:)?[/\\]{1,2}(?:[\w. -]{1,40}[/\\]{1,2}){0,8}(?:httpd\.conf(?:\.php|\.default)?|php\d?\.ini|my\.(?:ini|cnf)|(?:access|error)[._]log|metabase\.xml|proftpd?\.conf|pure-?ftpd\.(?:conf|passwd|pdb)|ftpaccess|inetd\.conf|[uw]tmpx?|vmcore|\.[kz]sh_history|hostname\.[a-z]{2,6}\d)\s{0,2}$/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.slash | CHAR.backslash,
      places: ['query', 'form', 'cookie'],
      attacks: [
        '/usr/local/php4/lib/php.ini',
        'c:\\apache\\php\\php.ini',
        '/apache/logs/access.log',
        '/root/.ksh_history',
        'C:\\Program Files\\MySQL\\my.ini',
        '/etc/hostname.qfe3',
      ],
      benign: [
        'php.ini',
        'see /etc/php.ini',
        '/docs/error-log',
        '/users/hostname.example',
        'docs/access.log',
      ],
    },
  ),
  // Steps whose percent signs a filter took away: slashes are left as their codes.
  pattern('traversal/bare-codes', /\.\.(?:2f|5c)(?:\.\.(?:2f|5c)|[a-z]{2,12}(?:2f|5c))/, {
    score: 5,
    chars: CHAR.dots,
    attacks: ['..2f..2fetc2fpasswd', '..2fapache2flogs2faccess.log', '..5c..5cboot.ini'],
    benign: ['a..2f', '..2for', 'b..5c'],
  }),
]
