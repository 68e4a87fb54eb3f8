import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Names of addresses that a browser is sent to, or that name who may call: nobody fetches them. */
const NOT_FETCHED =
  /redirect|callback|return|origin|referr?er|continue|next|back|logout|success|cancel|state|^(?:ru|cb|to|next|goto|(?:openid\.)?realm|(?:openid\.)?trust_root|audience|resource|issuer|iss|aud|base_?url|location|client_id)$/

/** How programs in PHP call the folder that their own parts lie in. */
const ROOT_NAME =
  /^(?:(?:\w{1,24}_)?(?:document_?root|doc_?root|root_?(?:path|dir)|absolute_?path|abs_?path|includes?_?(?:path|dir)|inc_?(?:path|dir)|class_?(?:path|dir))|(?:spaw|phpbb|mosconfig)_?\w{0,16}|globals\[\w{1,40}\])$/
const OTHER_HOST = /^\s{0,2}(?:https?|ftps?):\/\/[^\s]/

/** A folder of the program's own parts that lies on another host. */
function findRemoteRoot(reading: Reading): Span | undefined {
  const { lower } = reading
  return OTHER_HOST.test(lower) && ROOT_NAME.test(reading.name) ? { start: 0, end: lower.length } : undefined
}

const TARGET_NAME = /^(?:server|host(?:name)?|target|dest(?:ination)?|upstream|backend|proxy|fetch|remote)$/
const OWN_HOST =
  /^\s{0,4}(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|169\.254\.169\.254)(?::\d{1,5})?\s{0,4}$/

/** What systems that watch machines (Nagios, Icinga) ask for by name: the machine that they run on too. */
const WATCHED_NAME = /^(?:server|host(?:name)?)$/

/** What is measured or asked about by its address (OPC, exporters of Prometheus), not called. */
const MEASURED_NAME = /^target$/

/** The backend's own host, in a query, under a name that says it will be called. */
function findTarget(reading: Reading): Span | undefined {
  if (!reading.fromStart || reading.place !== 'query' || !TARGET_NAME.test(reading.name)) return undefined
  if (!OWN_HOST.test(reading.lower)) return undefined
  const isName = reading.lower === 'localhost' && WATCHED_NAME.test(reading.name)
  const isAddress = reading.lower === '127.0.0.1' && MEASURED_NAME.test(reading.name)
  return { start: 0, end: reading.text.length, ...((isName || isAddress) && { score: 4 }) }
}

/**
 * Where scripts of old keep the folder that they include files from. Pages of settings have addresses
 * under the name of one (`config[callback_url]`, `settings[logo]`), not of what is included.
 */
const INCLUDED_PATH =
  /^(?:mosconfig_\w{1,32}|_?(?:session|get|post|cookie|files|globals|lang|path)\[\w{1,32}\]|_(?:conf|config|server|env|request|settings?)\[\w{1,32}\]|(?:conf|config|server|env|request|settings?)\[(?!(?:(?!path|inc|lib|root|dir|tpl|templ|script|skin|theme|modul|plugin)\w){0,24}(?:ur[il]s?|links?|href|endpoint|webhook|callback|hook|logo|image|img|icon|avatar|banner|feed|homepage|website|host|domain|origin|issuer|entity_?id|ref)\])\w{1,32}\]|(?:\w{1,24}_)?(?:root|base|abs(?:olute)?|include|inc|lib|full|script)_?(?:path|dir|directory|folder))$/

const INCLUDED_PAGE =
  /^(?:page|include|inc|template|tpl|view|module|lang|language|theme|skin|layout|section|action)$/

/** A URL where a folder of the server belongs. */
function findIncludedPath(reading: Reading): Span | undefined {
  if (!INCLUDED_PATH.test(reading.name)) {
    // Pages are named by addresses too, but not by those of texts.
    if (!INCLUDED_PAGE.test(reading.name)) return undefined
    const text = /^\s{0,4}(?:https?|ftps?):\/\/[^\s?#]{1,160}\.(?:txt|inc|dat)(?:[?#]|\s{0,2}$)/.exec(
      reading.lower,
    )
    return text === null ? undefined : { start: 0, end: text[0].length }
  }
  const found = /^\s{0,4}(?:https?|ftps?|php|file):\/\/[^\s]{1,80}/.exec(reading.lower)
  return found === null ? undefined : { start: 0, end: found[0].length }
}

/** URLs that make the backend call where the caller cannot: itself, its cloud, its network. */
export const reachRules: readonly Rule[] = [
  pattern(
    'ssrf/metadata',
    /(?:^|[/@\s"'=:[])(?:169\.254\.169\.254|169\.254\.170\.23?|169\.254\.42\.42|169\.254\.0\.23|168\.63\.129\.16|100\.100\.100\.200|192\.0\.0\.192|fd00:ec2::254|metadata\.(?:google\.internal|goog|azure|tencentyun\.com|packet\.net|platformequinix\.com|cloud\.ibm\.com)|api\.metadata\.cloud\.ibm\.com|\[?(?:fd20:ce::254|fe80::a9fe:a9fe|fd00:42::42)|0xa9fea9fe|2852039166|0251\.0376\.0251\.0376|\[?::ffff:(?:169\.254|a9fe:a9fe))|(?:(?:\/\/|@|^)(?:instance-data|rancher-metadata)(?![\w-]|\.\w)|[\s\x22'=:[](?:instance-data|rancher-metadata)(?:\/|:\d))|\/computemetadata\/v1|\/latest\/(?:meta-data|user-data|dynamic\/instance)|\/metadata\/(?:instance|identity)/,
    {
      score: 5,
      quotable: true,
      words: WORD.host,
      attacks: [
        'http://169.254.169.254/latest/meta-data/',
        'http://metadata.google.internal/computeMetadata/v1/',
        'http://2852039166/',
        'instance-data',
        'host=instance-data/latest',
        'http://rancher-metadata.',
      ],
      benign: [
        '169.254.1.1',
        'meta-data of the song',
        'http://example.com/metadata',
        'it stands in instance-data, see /run/cloud-init/instance-data.json',
      ],
    },
  ),
  pattern(
    'ssrf/disguised',
    /(?:https?|ftp|wss?|dict|ldap|tftp|git|ssh|svn|redis|mysql|mongodb|smtp|imap):(?![1-9]\d{1,4}(?:[/?#]|$))[/\\]{0,3}(?:[^/@\s]{0,40}@)?(?:(?:0x[\da-f]{1,8}|\d{1,12})(?:\.(?:0x[\da-f]{1,8}|\d{1,10})){0,2}|(?=(?:\w{1,12}\.){0,3}0[x\d])(?:0x[\da-f]{1,4}|\d{1,6})(?:\.(?:0x[\da-f]{1,4}|\d{1,6})){3}|\[[:0]{1,16}:ffff:(?:127|7f|a9fe)[^\]]{0,16}\]|(?:[\w.-]{0,60}\.)?(?:localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|localhost\.me|localhost\.|ip6-localhost|ip6-loopback|[\da-f]{8}\.(?:nip|sslip)\.io|(?:127|10|192|169|172|0)[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}\.(?:(?:nip|xip|sslip)\.io|traefik\.me)|spoofed\.burpcollaborator\.net))(?::\d{1,5})?(?:[/?#\\]|$)|https?:\/{1,3}[^\s/]{0,40}(?:127\.0\.0\.1|localhost|169\.254\.169\.254)(?::\d{1,5})?(?:\\@|%25?23@|#@)|https?:\/\/(?:[\w-]{1,40}\.){1,4}(?:com|org|net|io|dev|example|test)(?::\d{2,5})?@[\w.[]|https?:\/\/[\w.-]{1,80}#@|https?:\/\/[\w.-]{1,80}\\@[\w.[]|https?:\/\/[^\s/?#]{0,40}(?:[\u2460-\u2473\u24ea][^\s/?#]{0,8}[\u2460-\u2473\u24ea]|\d[\u3002\uff0e\uff61]\d|[\uff10-\uff19\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]|\ud835[\udfce-\udfff]|%(?:2e|3\d)(?![^\s/?#]{0,80}@))|https?:(?:\/?|\\[/\\]{0,2}|\/\\{1,2}|\/\/[\w-]{1,40}(?:\.[\w-]{1,40}){0,3}\.(?:com|org|net|io|dev|example|test|info)(?::[^/@\s]{0,40})?@)(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|169\.254\.\d{1,3}\.\d{1,3}|10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|\[[:0]{1,16}1?\])(?::\d{1,5})?(?:[/?#\\]|$)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      words: WORD.host,
      attacks: [
        'http://0x7f000001/',
        'http://2130706433/',
        'http://127.1/',
        'http://0/',
        'http://[::ffff:127.0.0.1]/',
        'http://127.0.0.1\\@example.com',
        'http://127.0.0.1.nip.io/',
        'http://025177524776/',
        'http://169.254.43518/',
        'http://0x7f.0x0.0x0.0x1/',
        'http://127.000.000.001/',
        'http:\\\\127.0.0.1\\',
        'http:127.0.0.1/',
        'http://www.example.com@127.0.0.1/',
        'https://shop.example.com:443@evil.example',
        'http://example.com#@169.254.169.254/',
        'http://example.com\\@127.0.0.1/',
        'http://127\u30020\u30020\u30021/',
        'http:127.0.0.1',
      ],
      benign: [
        'http://127.0.0.1:8080/cb',
        'http://localhost/',
        'http://[::1]:3000/',
        'http://0.example.com/',
        'http://10.0.0.1:8080/',
        'http://ann:pw@localhost:5984/',
        'https://ann@git.example.com/x.git',
        'mailto:ann@example.com',
        'HTTP:8080/index.html',
      ],
    },
  ),
  pattern(
    'ssrf/loopback',
    /^\s{0,4}(?:(?:https?|ftp|wss?|dict|ldap|tftp):\/{0,3}|\/\/)(?:[^/@\s]{0,40}@)?(?:localhost\d?(?:\.localdomain\d?)?|127\.(?:\d{1,3}\.){0,2}\d{1,3}|0\.0\.0\.0|0|\[[:0]{1,16}1?(?:%25\w{1,8})?\]|\[[:0]{1,16}:ffff:(?:127|7f)[^\]]{0,16}\]|0x7f[\dxa-f.]{0,16}|2130706433|017700000001|0177\.[\d.]{1,12}|10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}|(?:[\w.-]{0,60}\.)?(?:localtest\.me|lvh\.me|nip\.io|xip\.io|sslip\.io|docker\.internal|svc\.cluster\.local|kubernetes\.default(?:\.svc)?|service\.consul))(?::\d{1,5})?(?:[/?#\\]|$)/,
    {
      score: 5,
      atStart: true,
      unlessNamed: NOT_FETCHED,
      chars: CHAR.colon | CHAR.slash,
      places: ['query'],
      attacks: [
        'http://127.0.0.1/admin',
        'http://localhost:8080/',
        'http://[::1]/',
        'http://192.168.1.1/x',
        'http:/127.0.0.1/',
        'http://[0:0:0:0:0:ffff:127.0.0.1]',
        'http://kubernetes.default.svc/',
      ],
      benign: [
        'http://localhost.example.com/',
        'https://10.example.org',
        'see http://127.0.0.1 for the demo',
      ],
    },
  ),
  // Services that no browser talks to, on this machine, and what they answer to.
  pattern(
    'ssrf/service',
    /\bhttps?:\/\/(?:[\w-]{1,40}|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|\[[:0]{1,8}1?\]):(?:22|23|25|110|143|445|2375|2376|2379|3306|5432|6379|10250|10255|11211|27017)(?:[/?#]|$)|\bhttps?:\/\/[\w.:[\]-]{1,60}\/(?:containers\/json|v1\.\d{2}\/containers|_cat\/indices|v1\/agent\/(?:self|service)|v2\/keys\/|api\/v1\/(?:secrets|namespaces\/[\w-]{1,40}\/secrets)|actuator\/(?:env|heapdump|shutdown)|latest\/meta-data)|^\s{0,4}https?:\/\/(?:0\.0\.0\.0|\[[:0]{2,8}\])(?::(?:80|443))?(?:\/[^\s]{0,120})?\s{0,4}$/,
    {
      score: 5,
      quotable: true,
      unlessNamed: NOT_FETCHED,
      chars: CHAR.scheme,
      words: WORD.host,
      attacks: [
        'http://localhost:2375/containers/json',
        'http://127.0.0.1:6379/',
        'http://kubernetes.default.svc/api/v1/secrets',
        'http://0.0.0.0/',
        'http://[::]:80/',
      ],
      benign: [
        'http://localhost:9200/',
        'http://0.0.0.0:8000/',
        'http://127.0.0.1:3000/a',
        'redis://localhost:6379/0',
        'https://kubernetes.default.svc',
        'http://192.168.1.5:8080/api',
      ],
    },
  ),
  pattern(
    'ssrf/host',
    /^\s{0,4}(?:localhost\d?(?:\.localdomain\d?)?|ip6-localhost|ipv6-localhost|ip6-loopback|(?:[\w-]{1,40}\.){1,3}svc\.cluster\.local|kubernetes\.default(?:\.svc)?|[\w-]{1,24}\.docker\.internal|localtest\.me|lvh\.me|127\.0\.0\.1\.nip\.io)(?::\d{1,5})?\/[^\s]{0,120}$/,
    {
      score: 5,
      atStart: true,
      unlessNamed: NOT_FETCHED,
      words: WORD.host,
      places: ['query'],
      attacks: ['localhost4.localdomain4/', 'host.docker.internal/', 'lvh.me/'],
      benign: ['localhost', 'internal/docs'],
    },
  ),
  pattern(
    'ssrf/scheme',
    /(?:^|["'=\s(\u0000-\u001f]|\burl:)(?:gopher|dict|netdoc|jar:https?|tftp|view-source|wyciwyg|rmi|iiop|corbaname|ldapi|npipe|local[-_]file|mhtml|phar|expect|ogg|rar|bundleresource):[/\\]{1,4}[\w.[\]%@-]{1,80}|\bjar:(?:file|https?):|\burl:file:|\bhttps?\+unix:\/\/|\bhttps?:\/\/unix:\/|\bservice:jmx:/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      words: WORD.host,
      attacks: [
        'gopher://127.0.0.1:6379/_x',
        'dict://x:11211/stat',
        'jar:http://x!/y',
        'rmi://evil.example:1099/x',
        'service:jmx:rmi:///jndi/x',
      ],
      benign: ['https://example.com', 'http://ldap.example.com', 'a gopher: small rodent'],
    },
  ),
  // Orchestrators say of each machine through which socket its containers are started.
  pattern('ssrf/unix-socket', /\bunix:\/{2,3}\w/, {
    score: 5,
    quotable: true,
    unlessNamed: /cri-?socket$/,
    chars: CHAR.colon,
    words: WORD.host,
    attacks: ['unix:///var/run/docker.sock', 'unix://run/x'],
    benign: ['unix:', 'see unix: a system', 'https://unix.example/'],
  }),
  // Settings name such servers, of directories, shares and mail: data where documents are sent.
  pattern(
    'ssrf/server-scheme',
    /(?:^|["'=\s(])(?:sftp|ldaps?|imap|pop3s?|smb|nfs|afp|telnet|resource):\/{2,3}[\w.[\]%@-]{1,80}/,
    {
      score: 5,
      bare: true,
      quotable: true,
      unlessNamed: /ldap|smb|imap|sftp|telnet|directory_?(?:ur[il]|server)|mail|share/,
      chars: CHAR.scheme,
      words: WORD.host,
      attacks: ['ldap://evil/x', 'sftp://evil.example/x'],
      benign: ['http://ldap.example.com', 'telnet: a protocol'],
    },
  ),
  // Behind the address, what the server there reads as a command.
  pattern(
    'ssrf/line-end',
    /^\s{0,2}[a-z][a-z+]{1,11}:\/\/[^\s]{1,120}[\r\n]{1,4}\s{0,2}(?:quit|stats?|get|set|flush\w{2,3}|helo|ehlo|mail|rcpt|data|info|slaveof|config|eval|user|pass|select|keys|auth|save|noop|del)(?:\s|$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.newline,
      attacks: ['ldap://127.0.0.1:389/\nstats\nquit', 'http://redis:6379/\r\nset x 1'],
      benign: ['https://a.example/\nhttps://b.example/', 'see http://x.example\nget it there'],
    },
  ),
  pattern(
    'ssrf/collaborator',
    /\b[\w-]{1,64}\.(?:oast\.(?:me|fun|pro|live|site|online)|interact\.sh|interactsh\.com|burpcollaborator\.net|oastify\.com|requestbin\.\w{2,4}|dnslog\.cn|ceye\.io|bxss\.me|xss\.ht|canarytokens\.com|webhook\.site|pipedream\.net)\b|\/\/(?:oast\.(?:me|fun|pro|live|site|online)|interact\.sh|interactsh\.com|burpcollaborator\.net|oastify\.com)(?:[:/?#]|\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      words: WORD.host,
      attacks: ['root@abcd1234.interact.sh', 'http://abcd.oast.me/x', 'https://oast.me', '//interact.sh/%2f'],
      benign: ['boast.media', 'please interact.shortly', 'https://boast.me/', 'oast.me'],
    },
  ),
  {
    id: 'ssrf/target',
    family: 'ssrf',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.host,
    needs: [OWN_HOST],
    find: findTarget,
    // By the name of the parameter: the cases are in `test/reach.test.ts`.
    attacks: [],
    benign: ['localhost', 'localhost.example.com', 'example.com'],
  },
  pattern(
    'rfi/include',
    /^\s{0,4}(?:https?|ftps?|ssh|file):\/\/(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:[:/]|$)[^\s]{0,160}\.(?:txt|php\d?|jspx?|aspx?|sh|dat|cgi|pl|py|exe|elf|jar|war|so|dll|ps1|bat|hta|png\?|gif\?)(?:$|[?#&])|[^\s?]{1,160}\.(?:jsp|txt|asp|phtml|inc|dat|gif|jpg)\?{1,2}\s{0,4}$|[^\s?]{1,160}\.php\d?\?{2}\s{0,4}$|(?<=ftps?:\/\/)[^\s?]{1,160}\.(?:php\d?|phtml|jspx?|aspx?)\s{0,4}$|[^\s?]{1,160}\.(?:gif|png|jpe?g|txt)\?\.(?:aspx?|php\d?|jsp)\s{0,4}$)/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'body'],
      attacks: [
        'http://evil.example/shell.txt?',
        'ftp://1.2.3.4/x.php',
        'ftp://evil.example/shell.php',
        'http://evil.example/x.gif?.aspx',
      ],
      benign: ['https://example.com/a?b=c', 'http://1.2.3.4/', 'https://example.com/index.php'],
    },
  ),
  {
    id: 'rfi/parameter',
    family: 'rfi',
    score: 5,
    quotable: false,
    chars: CHAR.scheme,
    words: 0,
    places: ['query', 'form', 'cookie'],
    atStart: true,
    needs: [/(?:https?|ftps?|php|file):\/\//],
    find: findIncludedPath,
    // By the name of the parameter: the cases are in `test/reach.test.ts`.
    attacks: [],
    benign: ['https://example.com/', 'see https://example.com'],
  },
  pattern(
    'rfi/ftp-address',
    /^\s{0,4}ftps?:\/\/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:[:/][^\s]{0,120})?\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'body'],
      attacks: ['ftp://1.1.1.1', 'ftp://192.0.2.1/x.php'],
      benign: ['ftp.example.com', 'ftp://ftp.example.com/'],
    },
  ),
  pattern(
    'rfi/address',
    /^\s{0,4}(?:file|https?):\/\/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:[:/][^\s]{0,120})?\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      unlessNamed: NOT_FETCHED,
      chars: CHAR.scheme,
      places: ['query'],
      attacks: ['http://8.8.8.8/x'],
      benign: ['http://example.com', 'version 1.1.1.1'],
    },
  ),
  // The same in a form, where what the program adds to the address is cut off.
  pattern(
    'rfi/cut-address',
    /^\s{0,4}https?:\/\/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\/[^\s?#]{0,120}(?:\?{1,2}|#|%00|\u0000)\s{0,4}$/,
    {
      score: 5,
      atStart: true,
      unlessNamed: NOT_FETCHED,
      chars: CHAR.scheme,
      places: ['form', 'cookie'],
      attacks: ['http://192.0.2.10:8080/q8x2?', 'http://192.0.2.10/a.txt#'],
      benign: ['http://192.0.2.10/a?b=1', 'http://192.0.2.10/a', 'https://example.org/?'],
    },
  ),
  // The folder that a program loads its own parts from, and a file of a program on another host.
  {
    id: 'rfi/root',
    family: 'rfi',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.scheme,
    words: 0,
    places: ['query', 'form', 'cookie'],
    needs: [OTHER_HOST],
    find: findRemoteRoot,
    // By the name of the parameter: the cases are in `test/reach.test.ts`.
    attacks: [],
    benign: ['https://example.org/'],
  },
  pattern(
    'rfi/program',
    /^\s{0,2}(?:https?|ftp):\/\/[^\s?#]{3,160}\.(?:txt|inc|dat)\?{1,2}(?:cmd|c|x)?\s{0,2}$/,
    {
      score: 5,
      atStart: true,
      unlessNamed: NOT_FETCHED,
      chars: CHAR.scheme,
      places: ['query', 'form', 'cookie'],
      attacks: ['http://evil.example/shell.txt?cmd', 'http://evil.example/r57.txt??'],
      benign: ['https://example.org/robots.txt', 'https://example.org/a.txt?v=2', 'https://example.org/a?'],
    },
  ),
]
