import { deflateRawSync, gzipSync } from 'node:zlib'

/** A request that honest clients send, of one kind. */
export interface HonestRequest {
  readonly kind: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

type Req = HonestRequest

let seed = 42
const rnd = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 4294967296
}
const int = (n: number) => Math.floor(rnd() * n)
const pick = <T>(a: readonly T[]): T => a[int(a.length)] as T
const bytes = (n: number) => {
  const b = Buffer.alloc(n)
  for (let i = 0; i < n; i++) b[i] = int(256)
  return b
}
const J = { 'content-type': 'application/json' }
const out: Req[] = []
const post = (kind: string, path: string, obj: unknown) =>
  out.push({ kind, method: 'POST', path, headers: J, body: JSON.stringify(obj) })
const get = (kind: string, path: string, headers: Record<string, string> = {}) =>
  out.push({ kind, method: 'GET', path, headers, body: '' })
const hex = (n: number) => bytes(n).toString('hex')
const b64 = (n: number) => bytes(n).toString('base64')
const b64u = (n: number) => bytes(n).toString('base64url')
const host = () =>
  pick(['shop', 'app', 'www', 'api', 'id', 'pay', 'grafana', 'cdn', 'docs']) +
  '.' +
  pick(['example.com', 'example.org', 'acme.test', 'corp.example.net'])
const FIRST = [
  'Anna',
  'Seán',
  "O'Neil",
  'José',
  'Mary-Jane',
  'Zoë',
  "D'Arcy",
  'Ngozi',
  'Jürgen',
  'Li',
  'Søren',
  'Ann & Bob',
  'Dr. K. Or',
  'Update',
  'Drop',
  'Null',
  'Like',
  'Ella Selection',
  'Mike Cat',
  'Jean-Luc',
]
const LAST = [
  "O'Brien",
  "D'Angelo",
  'van der Berg',
  'Smith-Jones',
  'McDonald',
  'Ó Súilleabháin',
  'Müller',
  'Null',
  'Or',
  'Union',
  'Select',
  'Order',
  'Group',
  'Table',
  'Sleep',
  'Script',
  "De'Ath",
  "N'Golo",
  'Ls',
  'Cat',
]
for (let i = 0; i < 300; i++)
  post('people', '/api/customers', {
    first: pick(FIRST),
    last: pick(LAST),
    email: `${pick(FIRST).replace(/[^a-z]/gi, '')}+${int(99)}@${host()}`,
    phone: pick(['+353 (1) 234-5678', '0049/89/123456', '(555) 010-9999 #12', '+1;ext=55']),
    address: `${int(200)} ${pick(["St. John's Road", "Rue de l'Église; Apt 4", 'Main St & 2nd Ave', 'Union Square', 'Or Street', 'Sleep Hollow Dr', 'Cat & Fiddle Lane', 'Unit #5 -- rear', "C/o O'Connor's", 'Haupt-str. 5/7'])}`,
    city: pick(["L'Aquila", "Coeur d'Alene", "'s-Hertogenbosch", 'Union City', 'São Paulo']),
    note: pick([
      "Please ring; don't knock",
      "Leave at door (or neighbour's)",
      'Call 1st or 2nd floor',
      '5\' 10" tall',
      '--',
      'n/a',
      'price < 100 and > 50',
      '50% off = good',
      'allergic to nuts & eggs; no milk',
      "it's 1 or 2 items",
      '1=1 pack',
      "use 'back' door",
    ]),
  })
// session in query
for (let i = 0; i < 150; i++)
  get(
    'session-query',
    pick([
      `/success?session_id=cs_live_${b64u(18)}`,
      `/result?sessionId=${hex(8)}&status=ok`,
      `/socket.io/?EIO=4&transport=polling&t=${b64u(5)}&sid=${b64u(15)}`,
      `/logout?iss=https%3A%2F%2F${host()}&sid=${hex(16)}`,
      `/collect?v=2&sid=${1.7e9 | 0}&sct=2&seg=1`,
      `/cart?session=${hex(4)}`,
      `/engine.io/?sid=${b64u(12)}`,
      `/w/?sess=${hex(6)}&auth_session=${hex(3)}`,
    ]),
    { Host: host(), Referer: `https://${host()}/x?y=1` },
  )
// base64
for (let i = 0; i < 300; i++) {
  const n = 8 + int(300)
  const v = pick([
    b64(n),
    b64u(n),
    gzipSync(Buffer.from(`{"a":${int(1e6)},"text":"hello world"}`)).toString('base64'),
    deflateRawSync(Buffer.from('lorem ipsum '.repeat(int(30) + 1))).toString('base64'),
    (b64(n).match(/.{1,76}/g) ?? []).join('\n'),
    `data:image/png;base64,${b64(n)}`,
    `data:application/octet-stream;base64,${b64(n)}`,
    `${b64u(12)}.${b64u(30)}.${b64u(32)}`,
    `${b64(16)}|${b64(24)}`,
    `sha256-${b64(32)}`,
    `v1:${b64(12)}:${b64(40)}`,
    `${b64(20)}--${hex(20)}`,
    `s:${b64u(24)}.${b64(32)}`,
  ])
  const m = int(4)
  if (m === 0)
    post('base64', '/api/x', {
      [pick(['data', 'signature', 'payload', 'blob', 'cert', 'image', 'key', 'state', 'cursor'])]: v,
    })
  else if (m === 1)
    get(
      'base64',
      `/t?${pick(['sig', 'code', 'state', 'data', 'token', 'cursor', 'd'])}=${encodeURIComponent(v)}`,
    )
  else if (m === 2)
    get('base64', '/', {
      cookie: `a=1; ${pick(['s', 'session', 'remember', 'xsrf', '_ga', 'datr'])}=${v.replace(/[\n; ]/g, '')}`,
    })
  else
    out.push({
      kind: 'base64',
      method: 'POST',
      path: '/f',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `id=1&SAMLResponse=${encodeURIComponent(v)}`,
    })
}
for (let i = 0; i < 24; i++) {
  const n = 150_000 + int(400_000)
  post('base64-file', '/api/upload', {
    name: pick(['scan.pdf', 'photo.jpg', 'archive.zip', 'notes.md', 'data.csv', 'app.js']),
    content: pick([
      b64(n),
      Buffer.from(readDoc(i)).toString('base64'),
      Buffer.from(
        'id,name,amount\n' +
          Array.from({ length: (n / 30) | 0 }, (_, k) => `${k},"Item ${k}",${k * 3}.50`).join('\n'),
      ).toString('base64'),
    ]),
  })
}
function readDoc(i: number): string {
  return Array.from(
    { length: 40 },
    (_, n) => `Line ${n}: it's document ${i}; see "notes" & <b>more</b> (p. ${n * i}).`,
  ).join('\n')
}
// OAuth loopback
for (let i = 0; i < 200; i++) {
  const r =
    pick(['http://127.0.0.1:', 'http://localhost:', 'http://[::1]:']) +
    (1024 + int(60000)) +
    pick(['/callback', '/cb', '/', '/auth/oidc', '/signin-oidc', ''])
  const p = new URLSearchParams({
    response_type: 'code',
    client_id: pick(['cli', 'desktop', 'vscode', '5f2a']),
    redirect_uri: r,
    scope: 'openid profile email offline_access',
    state: b64u(16),
    code_challenge: b64u(32),
    code_challenge_method: 'S256',
    nonce: b64u(8),
  })
  const m = int(5)
  if (m === 0) get('oauth', `/oauth/authorize?${p}`)
  else if (m === 1)
    out.push({
      kind: 'oauth',
      method: 'POST',
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: b64u(24),
        redirect_uri: r,
        client_id: 'cli',
        code_verifier: b64u(48),
      }).toString(),
    })
  else if (m === 2)
    post('oauth', '/oauth/register', {
      client_name: 'My CLI & tools',
      redirect_uris: [r, `${r}2`],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    })
  else if (m === 3)
    get(
      'oauth',
      `/login?${pick(['returnTo', 'return_to', 'next', 'callbackUrl', 'redirect', 'continue', 'post_logout_redirect_uri', 'success_url', 'RelayState', 'dest_return'])}=${encodeURIComponent(r)}`,
    )
  else
    get('oauth', `/authorize?response_type=id_token&${p}`, {
      Origin: r.replace(/(:\d+).*/, '$1'),
      Referer: r,
    })
}
for (let i = 0; i < 200; i++) {
  const a =
    pick([
      'http://192.168.1.',
      'http://10.0.0.',
      'http://172.16.4.',
      'http://203.0.113.',
      'rtsp://192.168.1.',
      'http://127.0.0.',
    ]) +
    (1 + int(250)) +
    pick([':8080/health', '/', '/stream/1', '/api/webhook', ':554/h264', '/metrics'])
  post('private-url', '/api/settings', {
    [pick([
      'url',
      'webhook',
      'webhook_url',
      'callbackUrl',
      'camera',
      'endpoint',
      'target',
      'base_url',
      'token_url',
      'allowedOrigins',
      'proxy',
      'server',
      'host',
    ])]: pick([
      a,
      [a, 'http://localhost:3000', 'http://localhost:5173'],
      'http://prometheus:9090',
      'http://minio.svc.cluster.local:9000',
      'redis://localhost:6379/0',
      'postgres://app:pw@db:5432/x',
      'amqp://guest@rabbit:5672',
      'http://host.docker.internal:8080/',
      'tcp://10.1.2.3:2375',
    ]),
  })
}
// error/CSP/OTel reports
const JAVA = [
  'java.lang.Thread',
  'java.lang.NullPointerException',
  'org.springframework.web.servlet.DispatcherServlet',
  'java.io.BufferedReader',
  'org.apache.catalina.core.StandardWrapperValve',
  'com.example.app.OrderService',
  'java.util.concurrent.ThreadPoolExecutor',
  'javax.servlet.http.HttpServlet',
  'org.hibernate.engine.jdbc.spi.SqlExceptionHelper',
  'sun.reflect.NativeMethodAccessorImpl',
  'java.lang.reflect.Method',
]
for (let i = 0; i < 300; i++) {
  const stackJs = `TypeError: Cannot read properties of undefined (reading 'map')\n    at render (https://${host()}/static/js/main.${hex(4)}.js:1:${int(9999)})\n    at Object.exec (file:///home/ann/app/node_modules/x/index.js:${int(99)}:12)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`
  post(
    'error-report',
    pick(['/api/1/envelope/', '/api/1/store/', '/csp', '/v1/traces', '/errors']),
    pick<unknown>([
      {
        exception: {
          values: [
            {
              type: 'TypeError',
              value: "Cannot read properties of null (reading 'constructor')",
              stacktrace: {
                frames: Array.from({ length: 3 + int(5) }, () => ({
                  filename: pick([
                    'app:///main.js',
                    '/usr/local/lib/python3.11/site-packages/django/core/handlers/exception.py',
                    '/var/www/html/index.php',
                    'C:\\Windows\\System32\\ntdll.dll',
                    'webpack:///./src/App.tsx',
                    'node:internal/process/task_queues',
                  ]),
                  function: pick([
                    'eval',
                    'Object.exec',
                    '<anonymous>',
                    'system',
                    '__init__',
                    'run',
                    'require',
                    'passthru',
                    'sleep',
                  ]),
                  module: pick(JAVA),
                  lineno: int(999),
                  context_line: pick([
                    '  const x = document.cookie',
                    "    cursor.execute('SELECT * FROM users WHERE id = %s', [id])",
                    '  return eval(code)',
                    'if (a && b || c) { exec(cmd) }',
                    '<?php echo $x; ?>',
                    "os.system('ls')",
                    "    raise ValueError(f'x={x}')",
                    '  alert(1)',
                  ]),
                })),
              },
            },
          ],
        },
        breadcrumbs: [
          { category: 'console', message: pick(['SELECT 1', 'Uncaught SyntaxError', 'GET /a?b=c 500']) },
          { category: 'query', message: "SELECT id, name FROM orders WHERE status = 'open' AND id IN (1,2)" },
        ],
        request: {
          url: `https://${host()}/a?x=1`,
          headers: { Cookie: '[Filtered]' },
          query_string: "q=O'Brien",
        },
        contexts: { os: { name: 'Linux' } },
      },
      {
        'csp-report': {
          'document-uri': `https://${host()}/`,
          referrer: '',
          'violated-directive': pick(['script-src-elem', 'img-src']),
          'effective-directive': 'script-src',
          'original-policy': "default-src 'self'; script-src 'self' 'unsafe-inline'; report-uri /csp",
          'blocked-uri': pick([
            'inline',
            'eval',
            'data',
            'http://127.0.0.1:8080/x.js',
            'chrome-extension://abc',
            'https://evil.example/x.js',
          ]),
          'script-sample': pick([
            'alert(1)',
            'eval(',
            'document.cookie',
            'onclick="x()"',
            'javascript:void(0)',
            '',
          ]),
        },
      },
      { message: stackJs, stack: stackJs, level: 'error', url: `https://${host()}/p` },
      {
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  {
                    traceId: hex(16),
                    spanId: hex(8),
                    name: 'SELECT shop.orders',
                    attributes: [
                      {
                        key: 'db.statement',
                        value: {
                          stringValue: pick([
                            'SELECT * FROM orders WHERE id = $1 AND total > 10 ORDER BY 2 LIMIT 1',
                            'INSERT INTO t (a,b) VALUES (?, ?)',
                            "UPDATE users SET name = 'x' WHERE id = 5",
                            'DELETE FROM sessions WHERE expires < now()',
                            'select count(*) from information_schema.tables',
                            'SELECT 1',
                          ]),
                        },
                      },
                      { key: 'http.url', value: { stringValue: 'http://localhost:8080/a?b=c' } },
                      { key: 'code.function', value: { stringValue: 'exec' } },
                      {
                        key: 'process.command_line',
                        value: {
                          stringValue: pick([
                            '/usr/bin/java -jar app.jar',
                            'node server.js',
                            '/bin/sh -c "exec nginx"',
                            'python -m http.server',
                          ]),
                        },
                      },
                      {
                        key: 'exception.stacktrace',
                        value: {
                          stringValue: `java.lang.IllegalStateException: no\n\tat java.base/java.lang.Thread.run(Thread.java:833)\n\tat ${pick(JAVA)}.invoke(X.java:12)`,
                        },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
      { module: pick(JAVA), logger: pick(JAVA), thread: 'main', message: `Failed: ${pick(JAVA)}: x` },
      {
        type: 'deprecation',
        body: {
          message: "'document.write' is deprecated",
          sourceFile: `https://${host()}/a.js`,
          lineNumber: 5,
        },
      },
      {
        package: 'C:\\Windows\\System32\\kernel32.dll',
        image: '/usr/lib/libc.so.6',
        path: '/proc/1/maps'.replace('maps', 'exe'),
      },
    ]),
  )
}
// passwords
const ASCII = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')
for (let i = 0; i < 1500; i++) {
  const pw = Array.from({ length: 12 + int(21) }, () => ASCII[int(94)]).join('')
  const m = int(4)
  if (m === 0) post('password', '/login', { email: 'a@b.c', password: pw })
  else if (m === 1)
    post('password', '/signup', { user: { name: 'a', newPassword: pw, password_confirmation: pw } })
  else if (m === 2)
    out.push({
      kind: 'password',
      method: 'POST',
      path: '/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ username: 'ann', password: pw }).toString(),
    })
  else get('password', `/reset?token=${encodeURIComponent(pw)}`)
}
for (const pw of [
  'correct horse battery staple; or 1',
  'I love <3 cats & dogs',
  "x' OR 1",
  'pa$$(word)',
  '{{curly}}',
  '%00%ff',
  'a;b|c',
  '--drop--',
  "it's a secret -- ok",
  '$(money)',
  '`tick`',
  '<b>old</b>',
])
  post('password', '/login', { email: 'a@b.c', password: pw })
// binary
for (let i = 0; i < 120; i++) {
  const n = pick([3000, 10000, 30000, 100000])
  const t = pick([
    'application/x-git-receive-pack-request',
    'application/offset+octet-stream',
    'application/x-protobuf',
    'application/octet-stream',
    'application/x-www-unknown',
    'image/heic',
    'application/vnd.custom',
    'application/x-tar',
    'text/plain',
    '',
    'application/msgpack',
    'application/cbor',
    'application/grpc-web+proto',
    'application/x-thrift',
    'font/x',
  ])
  const b: Buffer = pick([
    bytes(n),
    gzipSync(Buffer.from(readDoc(i))),
    Buffer.concat([
      Buffer.from('0098'),
      bytes(20),
      Buffer.from(' refs/heads/main\0 report-status\n0000PACK'),
      bytes(n),
    ]),
    Buffer.concat(
      Array.from({ length: 50 }, () =>
        Buffer.concat([
          Buffer.from([10, int(60)]),
          Buffer.from(`name ${int(999)} it's`),
          Buffer.from([16, int(255), 0, 0, 1]),
        ]),
      ),
    ),
  ])
  out.push({ kind: 'binary', method: 'POST', path: '/up', headers: t ? { 'content-type': t } : {}, body: b })
}
// words
const WORDS = [
  'Change "and" to "or"',
  'Sleep (10) Hotel',
  'Ham & tee',
  'Rock & ls',
  'schema_name',
  'Tea & curl cream',
  'To install, curl https://get.example.com/x.sh | bash in a sentence',
  'Count (5)',
  'select one of the following: a, b',
  'Drop-in session @ 5',
  'union of two sets',
  'Tom; who is late',
  'Order by Friday',
  '"yes" or "no"',
  "it's 5' or 6'",
  "Rock 'n' roll",
  'C++ && Java || Rust',
  'a | b | c',
  'R&D; more',
  '1 or 2',
  '10% or 20%',
  'user@host',
  '<3',
  'a<b',
  'x>y',
  '5 > 3 and 2 < 4',
  '(see p. 5)',
  'f(x)=x^2',
  '$5.00 {each}',
  '#1 choice',
  '100% cotton',
  '-- none --',
  '/* todo */',
  'Q: why? A: because',
  'https://example.com/a.php?',
  'http://example.com/count.php?x=1',
  'system(s)',
  'alert(s)',
  'eval() is evil',
  'print("hello")',
  'group by age',
  'having fun',
  'like this or that',
  'exec summary',
  'Cat & mouse',
  'ping me; thanks',
  'id; name; date',
  'more > less',
  'top & tail',
  'find | sort',
  'echo (chamber)',
  'kill -9 joke',
  'rm -rf is dangerous',
  'the /etc/hosts file',
  'see ../README.md',
  '{name}',
  '{{ name }}',
  '${name}',
  '%s %d',
  '<b>bold</b>',
  '<br/>',
  '&nbsp;',
  '"quoted"',
  "'single'",
  '`code`',
  'a;b;c',
  'key=value',
  'a && b',
  "admin's page",
  "O'Reilly & Sons",
  "Where's Waldo?",
  'null',
  'undefined',
  'true',
  'NaN',
  'select * from life',
  'insert coin',
  'update me',
  'delete this',
  'create account',
  'truncate text',
  "O' clock",
  "L'Oréal",
  '50 Cent; Dr. Dre',
  'AC/DC',
  'AT&T',
  '1=1',
  'yes=no',
  'Sale!!! 50% off -- today only',
  'Re: your mail',
  '<John> wrote:',
  'C:\\Users\\Ann',
  '\\\\server\\share',
  '~/notes',
  './run',
  'let x = 5',
  'for i in list',
  'while (true)',
  'if (x) then y',
  'function()',
  'import data',
  'require it',
  '<script>',
  '<title> element',
  'onload event',
  'javascript',
  'JavaScript: the good parts',
  'data: text',
  'base64',
  '0x1F',
  '#fff',
  'rgba(0,0,0,.5)',
  '10:30',
  '12/31',
  'v1.2.3',
  'sha1',
  'md5 (hash)',
  'char (1)',
  'version (2)',
  'database (new)',
  'user (admin)',
  'now()',
  'rand()',
  'left (side)',
  'right (side)',
  'concat (a, b)',
  'Sleep(8h)',
  'Benchmark (2 pack)',
  'waitfor it',
  'load file',
  '/var/log',
  '/home/ann',
  '~',
  '../',
  '..',
  '...',
  '.env',
  'web.config',
  'config.php',
  'index.php',
  'passwd',
  'shadow',
  'hosts',
  'fork(2)',
  'open(2) manual',
  'Get-ChildItem',
  'powershell',
  'cmd',
  'bash',
  'sh',
  'zsh is best',
  'nc',
  'curl',
  'wget',
  'git',
  'npm install x',
  'sudo apt-get install x',
  'pip install x',
  'docker run x',
  'kubectl get pods',
  'SELECT',
  'UNION',
  'OR 1',
  '1 OR 2',
  'AND',
  'x AND y',
  'NOT x',
  'a LIKE b',
  'BETWEEN 1 and 5',
  'IN (1,2,3)',
  'IS NULL',
  'Bobby Tables',
  'Robert; or Bob',
  'Dr. "O"',
  '5" or 6"',
  "7' tall",
  '24" x 36"',
  'a"b',
  "a'b",
  "'",
  '"',
  '`',
  ';',
  '|',
  '&',
  '<',
  '>',
  '()',
  '[]',
  '{}',
  '--',
  '/*',
  '#',
  '$',
  '%',
  '@',
  '!',
  '?',
  '*',
  '+',
  '=',
  '~',
  '^',
]
for (const w of WORDS) {
  post('words', '/api/x', { [pick(['text', 'q', 'name', 'title', 'label', 'comment', 'value'])]: w })
  post('words', '/api/x', { items: [{ text: `Note: ${w}, thanks.` }] })
}
// frameworks
for (let i = 0; i < 100; i++) {
  get(
    'filters',
    '/items?' +
      pick([
        'filters[$and][0][title][$contains]=oak',
        'filters[price][$gte]=5&sort[0]=name:asc&populate=*',
        'createdAt[$gt]=2020-01-01&$limit=10&$skip=5&$sort[createdAt]=-1',
        'name[$ne]=Bob&$select[]=title',
        '$or[0][archived][$ne]=true&$or[1][roomId]=2',
        'where=%7B%22score%22%3A%7B%22%24gt%22%3A1000%7D%7D',
        '$filter=price%20gt%205%20and%20name%20eq%20%27x%27&$top=5&$expand=Items',
        'filter={"where":{"and":[{"a":1},{"b":{"gt":5}}]}}',
        'q=status:open%20AND%20(type:bug%20OR%20type:task)',
        'jql=project%20%3D%20A%20AND%20status%20in%20(Open,%20Done)%20ORDER%20BY%20created',
        'price[$lte]=100&price[$gte]=10',
        'query=up%7Bjob%3D%22node%22%7D%20%3E%200&time=1700000000',
        'filter[name][like]=%25oak%25',
        'fields=id,name&order_by=name desc',
      ]),
  )
}
post('filters', '/db/_find', {
  selector: { $and: [{ year: { $gt: 2000 } }, { type: { $in: ['a', 'b'] } }] },
  limit: 5,
})
post('filters', '/parse/x', { where: { score: { $gt: 5 }, $or: [{ a: 1 }, { b: 2 }] } })
post('filters', '/api/q', { filter: { status: { $ne: 'x' } }, options: { sort: { a: -1 } } })
post('filters', '/agg', { pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$x', n: { $sum: 1 } } }] })
out.push({
  kind: 'jsf',
  method: 'POST',
  path: '/p.xhtml',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'form=form&form%3Aname=Anna&javax.faces.ViewState=-451%3A67',
})
out.push({
  kind: 'jsf',
  method: 'POST',
  path: '/p.xhtml',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body:
    'javax.faces.partial.ajax=true&javax.faces.source=a%3Ab&javax.faces.partial.execute=%40all&javax.faces.behavior.event=click&javax.faces.ViewState=rO0ABXVyABNbTGphdmEubGFuZy5PYmplY3Q7' +
    b64u(60),
})
out.push({
  kind: 'jsf',
  method: 'POST',
  path: '/s.do',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'org.apache.struts.taglib.html.TOKEN=abcdef0123&name=x&struts.token.name=token&token=ABC',
})
get('jsf', '/search?q=java.lang.NullPointerException')
get('jsf', '/search?q=java.lang.OutOfMemoryError%3A%20Java%20heap%20space')
// editors, mail, svg
const HTML = [
  '<p>See:</p><iframe width="560" height="315" src="https://www.youtube.com/embed/abc" title="x" frameborder="0" allow="accelerometer; autoplay" allowfullscreen></iframe>',
  '<iframe src="https://player.vimeo.com/video/1" width="640"></iframe>',
  '<iframe src="https://open.spotify.com/embed/track/x"></iframe>',
  '<iframe src="https://www.google.com/maps/embed?pb=!1m18" style="border:0"></iframe>',
  '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><p>Hi</p></body></html>',
  '<p>Use <pre><code>&lt;script&gt;alert(1)&lt;/script&gt;</code></pre></p>',
  '<pre><code>if (a &amp;&amp; b) { exec(&quot;ls&quot;) }</code></pre>',
  '<p style="color:red;background:url(x.png)">a</p>',
  '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener">x</a>',
  '<img src="data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=" alt="x">',
  '<img src="cid:image001.png@01D">',
  '<table border="0" cellpadding="0"><tr><td bgcolor="#fff">x</td></tr></table>',
  '<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]--><p>x</p>',
  '<style>.a{color:red}@media screen{.b{x:y}}</style><p class="a">x</p>',
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>',
  '<blockquote>a</blockquote><ul><li>b</li></ul>',
  '<figure><video controls src="/v.mp4"></video></figure>',
  '<p>1 &lt; 2 &amp;&amp; 3 &gt; 2</p>',
  '<div data-id="5" class="mention">@ann</div>',
  '<p><em>it\'s</em> <strong>"ok"</strong></p>',
  '<input type="checkbox" checked disabled> task',
  '<details><summary>x</summary>y</details>',
  '<audio controls><source src="a.mp3"></audio>',
  '<h1 id="x">A</h1><hr><br>',
  '<p>&lt;img src=x onerror=alert(1)&gt;</p>'.replace('onerror=alert(1)', 'alt=a'),
]
for (const h of HTML) {
  post('editor', '/posts', { title: 'x', content: h })
  post('editor', '/posts', { title: 'x', content: `<p>Intro</p>${h}<p>Outro</p>` })
  out.push({
    kind: 'editor',
    method: 'POST',
    path: '/posts',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `title=x&content=${encodeURIComponent(h)}`,
  })
}
post('editor', '/x', {
  content: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=',
})
// xml
for (const x of [
  '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict><key>a</key><string>b</string></dict></plist>',
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html><body>x</body></html>',
  '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><a>O\'Brien &amp; Sons</a></soap:Body></soap:Envelope>',
  '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" AssertionConsumerServiceURL="https://x.example/acs"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://x</saml:Issuer></samlp:AuthnRequest>',
  '<!DOCTYPE note [ <!ELEMENT note (to)> ]><note><to>x</to></note>',
  '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>',
  '<rss version="2.0"><channel><title>A & B</title><item><description><![CDATA[<p>Hi</p>]]></description></item></channel></rss>',
  '<project xmlns="http://maven.apache.org/POM/4.0.0" xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd"><a/></project>',
  '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:red}</style><path class="a" d="M0 0"/></svg>',
]) {
  out.push({
    kind: 'xml',
    method: 'POST',
    path: '/x',
    headers: { 'content-type': 'application/xml' },
    body: x,
  })
  out.push({
    kind: 'xml',
    method: 'POST',
    path: '/x',
    headers: { 'content-type': 'text/xml' },
    body: x.replace(/></g, '>\n<'),
  })
  out.push({
    kind: 'saml',
    method: 'POST',
    path: '/acs',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `SAMLResponse=${encodeURIComponent(Buffer.from(x).toString('base64'))}`,
  })
}
// kubernetes, grafana, CI
const K8S = [
  'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    image: nginx:1.25\n    command: ["/bin/sh", "-c", "exec nginx -g \'daemon off;\'"]\n    env:\n    - name: DB\n      value: postgres://app@db/x\n    volumeMounts:\n    - mountPath: /var/lib/postgresql/data\n      name: data\n',
  'on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: |\n        npm ci\n        npm test && curl -s https://codecov.io/bash | bash\n    - run: echo "${{ github.event.head_commit.message }}" >> $GITHUB_ENV\n      env:\n        TOKEN: ${{ secrets.TOKEN }}\n',
  'services:\n  db:\n    image: postgres\n    volumes:\n      - ./data:/var/lib/postgresql/data\n    environment:\n      - POSTGRES_PASSWORD=${PW:-x}\n    healthcheck:\n      test: ["CMD-SHELL", "pg_isready -U postgres || exit 1"]\n',
]
for (const k of K8S)
  for (const f of ['manifest', 'yaml', 'text', 'content']) post('kubernetes', '/api/apply', { [f]: k })
for (let i = 0; i < 100; i++)
  post('kubernetes', '/apis/apps/v1/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'x',
      annotations: {
        'kubectl.kubernetes.io/last-applied':
          '{"apiVersion":"v1","kind":"X","spec":{"command":["sh","-c","sleep 5; exit 0"]}}',
        'nginx.ingress.kubernetes.io/configuration-snippet':
          'if ($host = "x") { return 301 https://$host$request_uri; }\nlocation ~ \\.php$ { deny all; }',
      },
    },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'a',
              image: 'x',
              command: pick([
                ['/bin/sh', '-c', 'exec java -jar /app.jar'],
                ['sh', '-c', 'until nc -z db 5432; do sleep 1; done'],
                ['sleep', '3600'],
                ['bash', '-c', 'cat /config/* && env'],
              ]),
              args: [
                pick([
                  '--config=/etc/app/config.yaml',
                  '-Dx=java.lang.String',
                  '--url=http://localhost:8080',
                  'while true; do date; sleep 5; done',
                  'cp -r /src/. /dst && chmod 600 /dst/key',
                ]),
              ],
              env: [
                { name: 'PATH', value: '/usr/bin:/bin' },
                { name: 'URL', value: 'http://169.254.1.1/' },
              ],
              volumeMounts: [
                {
                  mountPath: pick([
                    '/var/lib/postgresql/data',
                    '/etc/nginx/conf.d',
                    '/var/run/secrets/kubernetes.io/serviceaccount',
                    '/proc',
                    '/etc/ssl',
                    '/var/log',
                    '/root/.ssh',
                    '/etc/hosts',
                  ]),
                },
              ],
              livenessProbe: {
                exec: { command: ['cat', '/tmp/healthy'] },
                httpGet: { path: '/healthz', host: '127.0.0.1' },
              },
            },
          ],
        },
      },
    },
  })
for (let i = 0; i < 100; i++)
  post('grafana', '/api/dashboards/db', {
    dashboard: {
      title: 'CPU & memory',
      panels: [
        {
          type: 'timeseries',
          targets: [
            {
              expr: pick([
                'sum(rate(http_requests_total{job="api",status=~"5.."}[5m])) by (pod) > 0',
                '100 - (avg by(instance) (irate(node_cpu_seconds_total{mode="idle"}[5m])) * 100)',
                'up == 0 or absent(up{job="x"})',
              ]),
              rawSql: pick([
                "SELECT $__timeGroup(time, '1m'), count(*) FROM events WHERE $__timeFilter(time) AND host IN ($host) GROUP BY 1 ORDER BY 1",
                'SELECT * FROM metric_values',
                "select time, value from x where a='b' or c='d'",
              ]),
              legendFormat: '{{instance}} {{job}}',
              alias: '$tag_host: $col',
            },
          ],
          options: {
            content: pick([
              '<h1>${__value.raw}</h1>',
              '**${host}** ${__from:date:iso}',
              '{{#each data}}{{name}}{{/each}}',
            ]),
          },
          fieldConfig: { overrides: [{ matcher: { options: '/.*cpu.*|mem$/' } }] },
          links: [{ url: '/d/x?var-host=${host:queryparam}&from=${__from}' }],
          transformations: [{ id: 'filterByValue', options: { expression: '$A > 5 && $B < 3 || $C == 1' } }],
        },
      ],
      templating: {
        list: [
          {
            query: 'label_values(up{job=~"$job"}, instance)',
            regex: '/([^:]+):.*/',
            definition: 'SHOW TAG VALUES',
          },
        ],
      },
    },
  })
// settings
for (const [k, v] of Object.entries({
  mountPath: '/var/lib/postgresql/data',
  logFile: '/var/log/app/app.log',
  share: '\\\\fileserver\\public\\docs',
  cwd: '../../packages/app',
  config: '/etc/app/config.yml',
  ssh: '~/.ssh/id_ed25519.pub',
  bin: '/usr/local/bin/node',
  cert: '/etc/letsencrypt/live/x/fullchain.pem',
  root: '/var/www/html',
  win: 'C:\\Program Files\\App\\app.exe',
  sys: 'C:\\Windows\\System32\\drivers',
  regex: '^(?:a|b)*\\.(js|ts)$',
  regex2: 'IPv4: ([0-9]*)(.*)(a|b)*)',
  cron: '*/5 * * * *',
  fmt: '%Y-%m-%d %H:%M:%S',
  glob: 'src/**/*.{ts,tsx}',
  glob2: '/tmp/[a-z]*/x?',
  sqlmode: 'ONLY_FULL_GROUP_BY,STRICT',
  search: '"exact phrase" -exclude',
  pattern: '*.log',
  cmd: 'node server.js',
  start: 'npm run start && echo ok',
  dsn: 'mysql://u:p@h/db?charset=utf8',
  java: '-Xmx512m -Djava.io.tmpdir=/tmp',
  php: 'a:1:{i:3010;s:1:"x";}',
  php2: 'a:2:{s:4:"name";s:1:"x";s:3:"age";i:5;}',
  nginx: '$remote_addr - $remote_user [$time_local] "$request"',
  tpl: 'Hello {{ user.first_name | default: "there" }}!',
  tpl2: '{% if user %}Hi {{ user.name }}{% endif %}',
  tpl3: '<%= name %>',
  tpl4: 'Dear ${firstName},',
  tpl5: 'DB=${DB_HOST:-localhost}',
  expr: 'age > 18 && country == "IE" || vip',
  expr2: 'IF(A1>5,"yes","no")',
  expr3: '=SUM(A1:A5)*2',
  expr4: '(a + b) * c / 2',
  css: '.a > .b::after { content: "\\201C"; }',
  sel: 'div[data-x="1"] > a:not(.b)',
  xpath: '//div[@id="x"]/a[1]',
  cc: '+1\r\ncc: @ann',
  math: '\\frac{a}{b} \\leq \\sqrt{x}',
  md: '**bold** `code` [x](http://a.b/c?d=e&f=g)',
  md2: '| a | b |\n|---|---|\n| 1 | 2 |',
  diff: '- old\n+ new',
  commit: "fix: escape ' in SQL; close #123",
  quote: '> On Mon, Ann wrote:\n> hi\n\nthanks',
  sig: "Best,\n--\nAnn O'Brien",
  phone: 'tel:+353-1-234',
  sms: "Code: 123456. Don't share; reply STOP to opt-out",
  shell: 'export PATH=$PATH:/usr/local/bin',
  ps: 'Get-ChildItem -Path C:\\temp',
})) {
  post('settings', '/api/settings', { [k]: v })
  post('settings', '/api/settings', { settings: { value: v } })
}
// paste
const CODE = [
  'printf("Hello World");',
  'CREATE TABLE t (a int);',
  'Get-ChildItem -Path C:\\temp',
  'curl --proto =https -LsSf https://example.com/i.sh',
  'import x from "../../../../a.js"',
  'SELECT * FROM users WHERE id = 5;',
  'console.log("hi")',
  '#include <stdio.h>\nint main() { return 0; }',
  'def f(x):\n    return x + 1',
  '<div>hello</div>',
  'echo "hi"',
  'ls -la | grep x',
  'for (int i = 0; i < n; i++) { a[i] = 0; }',
  'const a = require("fs")',
  'git commit -m "x" && git push',
  'docker run -it --rm alpine sh',
  'System.out.println("x");',
  'let y = `a${b}`',
  'if __name__ == "__main__":\n    main()',
  'UPDATE t SET a = 1 WHERE b = 2;',
]
for (const c of CODE)
  for (const f of ['code', 'snippet', 'source']) post('paste', '/api/paste', { [f]: c, language: 'x' })
// graphql
for (const q of [
  'query Q { user(id: "42") { name orders(first: 5) { id } } }',
  'mutation { login(email: "a@b.c", password: "x\' y") { token } }',
  '{ me { id } }',
  'query($id: ID!) { node(id: $id) { ... on User { name } } }',
  'query { search(query: "is:open label:\\"bug\\" OR x") { edges { node { id } } } }',
]) {
  post('graphql', '/graphql', {
    query: q,
    variables: { id: "O'B", input: { name: 'x & y' } },
    operationName: null,
  })
  get('graphql', `/graphql?query=${encodeURIComponent(q)}`)
  out.push({
    kind: 'graphql',
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/graphql' },
    body: q,
  })
}
// uploads
const up = (name: string, type: string, content: string | Buffer) =>
  out.push({
    kind: 'upload',
    method: 'POST',
    path: '/upload',
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
    body: Buffer.concat([
      Buffer.from(
        `--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nMy file\r\n--XX\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
      ),
      Buffer.from(content as string),
      Buffer.from('\r\n--XX--\r\n'),
    ]),
  })
for (const [n, t] of [
  ['shop-hours.zip', 'application/zip'],
  ['site.tar', 'application/x-tar'],
  ['course.txt', 'text/plain'],
  ['tutorial.md', 'text/markdown'],
  ['notes.pdf', 'application/pdf'],
  ['dump.sql', 'application/sql'],
  ['run.sh.txt', 'text/plain'],
  ['log.log', 'text/plain'],
] as const) {
  up(n, t, 'PK\x03\x04 Every page starts with <?php echo 1; ?> and <script>x</script>\nSELECT 1;')
  up(n, t, '#!/bin/sh\nls')
  out.push({
    kind: 'upload',
    method: 'PUT',
    path: `/files/${n}`,
    headers: { 'content-type': t },
    body: 'Every page starts with <?php ...',
  })
}
for (const v of [
  '/count.php?x=1',
  '/../x'.slice(3),
  '/index.php?page=2',
  '/a/b.jsp;jsessionid=ABC',
  '/api/v1/users/o%27brien',
  '/search?q=rock+%26+roll',
  '/search?q=c%2B%2B+or+java',
  '/tags/c%23',
  '/items?ids=1,2,3&sort=-price',
  '/x?utm_source=a&utm_campaign=50%25+off',
  '/x?callback=jQuery123_456&_=1',
  '/maps?ll=53.3,-6.2&z=12',
  '/i?src=https%3A%2F%2Fimg.example%2Fa.png%3Fw%3D1',
  '/go?url=https%3A%2F%2Fexample.com%2Fcount.php%3F',
  '/x?from=2020-01-01T00:00:00%2B01:00',
  '/d?file=report%20(final).pdf',
  '/d?path=a/b/c.txt',
  '/w?q=how+to+select+from+a+menu',
  '/s?q=who+am+i',
  '/s?q=what%27s+up',
  '/s?q=%22exact+phrase%22',
  '/s?q=id',
  '/s?q=order+by+phone',
  '/s?q=tom+%26+jerry',
  '/s?q=a%20%3C%20b',
  '/s?title=Union%20Select%20Committee',
  '/x?color=%23fff&size=10%22',
  '/x?name=D%27Arcy',
  '/x?json={"a":1,"b":["x"]}',
  '/x?data=%5B1%2C2%5D',
  '/x?return=/account?tab=1',
  '/x?state=eyJhIjoxfQ',
  '/x?expr=a%3E5',
  '/x?time=12:30;13:30',
  '/x?range=1-5',
  '/x?tz=Europe/Dublin',
  '/x?v=1.2.3-rc.1+build',
  '/x?lang=en-GB,en;q=0.9',
])
  get('browse', v, {
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    referer: 'https://shop.example/a?b=c%27d',
    cookie: 'theme=dark; _ga=GA1.2.123.456; prefs={"a":"b"}; consent=a:1|b:2',
  })
/**
 * Requests of every kind that was once refused by mistake, and of those that never
 * were; the same in every run.
 */
export const HONEST: readonly HonestRequest[] = out
