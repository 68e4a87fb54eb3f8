/** One request of a recorded session. */
export interface HonestRequest {
  /** Milliseconds since the session began. */
  readonly at: number
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body?: string
  /** What the backend answers. */
  readonly status: number
  /** Whether content inspection may refuse it: what is shown is that nothing follows from that. */
  readonly content?: 'may be refused'
}

type Part = Partial<Omit<HonestRequest, 'at'>>

const BROWSER = [
  'User-Agent',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept',
  'text/html,application/xhtml+xml',
  'Sec-Fetch-Site',
  'same-origin',
]
const SESSION = ['Cookie', 'theme=dark; session=3f9a1c0b77d2e4']
const JSON_TYPE = ['Content-Type', 'application/json']

const agent = (name: string, ...more: readonly string[]): readonly string[] => ['User-Agent', name, ...more]

/** So many requests, one every so many milliseconds. */
function steps(count: number, every: number, make: (n: number) => Part, from = 0): HonestRequest[] {
  return Array.from({ length: count }, (_, n) => ({
    at: from + n * every,
    method: 'GET',
    target: '/',
    headers: BROWSER,
    status: 200,
    ...make(n),
  }))
}

const WORDS = "select a union representative from the users' lantern group where O'Brien or others"
const ATTACKS = [
  '<script>alert(document.cookie)</script>',
  "x' or '1'='1' -- ",
  '${jndi:ldap://a.example/b}',
  '../../../../etc/passwd',
]

/** Each key of a text, as a field of search asks for it. */
function typed(text: string, path: string, every: number, from = 0, more: Part = {}): HonestRequest[] {
  return steps(
    text.length,
    every,
    n => ({ target: `${path}${encodeURIComponent(text.slice(0, n + 1))}`, ...more }),
    from,
  )
}

/**
 * What clients that mean no harm send, as it was seen of real ones: compact, by kind. Hosts and texts are
 * made up. A session is one client behind one address.
 */
export const HONEST_SESSIONS: Readonly<Record<string, readonly HonestRequest[]>> = {
  'a sync client that reads its own sixty notes': [
    ...steps(1, 1, () => ({ target: '/notes/', headers: agent('PouchDB', 'Authorization', 'Basic YTpi') })),
    ...steps(1, 1, () => ({
      target: '/notes/_local/x1',
      status: 404,
      headers: agent('PouchDB', 'Authorization', 'Basic YTpi'),
    })),
    ...steps(
      60,
      60,
      n => ({
        target: `/notes/note-${n}?rev=1-${n}a&open_revs=%5B%5D`,
        headers: agent('PouchDB', 'Authorization', 'Basic YTpi'),
      }),
      100,
    ),
    ...steps(
      60,
      60,
      n => ({ target: `/api/notes/${n + 1}`, headers: agent('okhttp/4', 'Authorization', 'Bearer k') }),
      5_000,
    ),
  ],
  'a sync client without a session': steps(60, 60, n => ({
    target: `/notes/note-${n}`,
    headers: agent('PouchDB'),
  })),
  'a sync client that asks for sixty notes that are gone': steps(60, 150, n => ({
    target: `/api/notes/${n + 1}`,
    status: n % 3 === 0 ? 404 : 410,
    headers: agent('okhttp/4', ...SESSION),
  })),
  'a reader of a public catalogue': steps(60, 300, n => ({
    target: `/api/products/${n + 1}`,
    headers: agent('node'),
  })),
  'a single-page application with six tabs restored': Array.from({ length: 6 }, (_, tab) => [
    ...steps(1, 1, () => ({ target: `/app/board/${tab}`, headers: [...BROWSER, ...SESSION] }), tab * 20),
    ...steps(20, 25, n => ({ target: `/assets/chunk-${n}.js` }), tab * 20),
    ...steps(
      14,
      30,
      n => ({ target: `/api/board/${tab}/widget/${n}`, headers: [...BROWSER, ...SESSION] }),
      200 + tab * 20,
    ),
    ...steps(
      6,
      30,
      n => ({ target: `/api/users/${tab * 6 + n}/avatar`, status: 404, headers: [...BROWSER, ...SESSION] }),
      300 + tab * 20,
    ),
    ...steps(
      4,
      30,
      () => ({ target: '/api/audit', status: 403, headers: [...BROWSER, ...SESSION] }),
      300 + tab * 20,
    ),
  ]).flat(),
  'a single-page application whose session ended': [
    ...steps(40, 50, n => ({ target: `/api/item/${n}`, status: 401 })),
    ...steps(20, 400, n => ({
      method: 'POST',
      target: `/api/events/${n % 3}`,
      status: 401,
      headers: [...BROWSER, ...JSON_TYPE],
      body: '{"a":1}',
    })),
    ...steps(10, 500, () => ({
      method: 'POST',
      target: '/auth/refresh',
      status: 401,
      headers: [...BROWSER, ...JSON_TYPE],
      body: '{}',
    })),
  ],
  'a mobile application that tries again and again': [
    ...steps(60, 400, n => ({
      method: 'POST',
      target: '/api/v2/sync',
      status: n % 4 === 3 ? 200 : 503,
      headers: agent('App/5.1 okhttp/4', 'Authorization', 'Bearer k', ...JSON_TYPE),
      body: `{"n":${n}}`,
    })),
    ...steps(12, 4_000, () => ({
      method: 'POST',
      target: '/oauth/token',
      status: 401,
      headers: agent('App/5.1 okhttp/4', 'Content-Type', 'application/x-www-form-urlencoded'),
      body: 'grant_type=refresh_token&refresh_token=abc',
    })),
  ],
  'search as you type': [
    ...typed(WORDS, '/search?q=', 180),
    ...typed('lantern green large', '/api/items?page=1&search=', 150, 12_000),
  ],
  'a reader who searches a forum for attacks and reads on': ATTACKS.flatMap((text, at) => [
    ...typed(text, '/search?q=', 250, at * 30_000, { content: 'may be refused' as const }),
    ...steps(
      20,
      400,
      n => ({
        target: `/topic/${at}-${n}`,
        headers: [...BROWSER, 'Referer', `https://shop.example/search?q=${encodeURIComponent(text)}`],
        content: 'may be refused' as const,
      }),
      at * 30_000 + 15_000,
    ),
  ]),
  'infinite scroll with pictures': steps(60, 250, n =>
    n % 3 === 0 ? { target: `/feed?after=${n}` } : { target: `/media/${n}.webp` },
  ),
  'a map whose tiles load': steps(120, 60, n => ({ target: `/tile?x=${n}&y=3&z=9` })),
  'a page that shows a camera': steps(150, 150, n => ({ target: `/camera?${1_712_345_678_000 + n * 200}` })),
  'continuous integration': [
    ...steps(40, 250, n => ({
      target: `/api/v4/jobs/${n + 100}/trace`,
      headers: agent('ci-runner 17.1', 'Private-Token', 'glpat-x'),
    })),
    ...steps(40, 250, n => ({
      method: 'HEAD',
      target: `/cache/key-${n}`,
      status: 404,
      headers: agent('ci-runner 17.1', 'Private-Token', 'glpat-x'),
    })),
  ],
  'a link checker': steps(200, 260, n => ({
    method: n % 2 === 0 ? 'HEAD' : 'GET',
    target: `/docs/page-${n}`,
    status: n % 9 === 0 ? 404 : 200,
    headers: agent('lychee/0.15'),
  })),
  'a search engine': steps(120, 300, n => ({
    target: `/product/${n}`,
    status: n % 12 === 0 ? 404 : 200,
    headers: agent('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'),
  })),
  monitoring: [
    ...steps(120, 500, n => ({
      target: ['/healthz', '/metrics', '/readyz', '/'][n % 4] as string,
      headers: agent('Prometheus/2.53'),
    })),
    ...steps(30, 1_000, n => ({
      target: `/actuator/${['health', 'metrics', 'prometheus', 'info'][n % 4]}`,
      status: 401,
      headers: agent('Prometheus/2.53'),
    })),
  ],
  'a reader of feeds': steps(60, 700, n => ({
    target: ['/feed', '/rss.xml', '/atom.xml', '/feed/comments'][n % 4] as string,
    status: n % 4 === 3 ? 404 : 304,
    headers: agent('FreshRSS/1.24'),
  })),
  'a WebDAV client': [
    ...steps(60, 80, n => ({
      method: 'PROPFIND',
      target: `/dav/folder-${n}/`,
      status: 207,
      headers: agent('WebDAVFS/3.0', 'Authorization', 'Basic YTpi', 'Depth', '1'),
    })),
    ...steps(80, 60, n => ({
      method: 'PROPFIND',
      target: `/dav/folder-${n}/${['._a.odt', '.DS_Store', '.hidden', '.metadata_never_index'][n % 4]}`,
      status: 404,
      headers: agent('WebDAVFS/3.0'),
      content: 'may be refused' as const,
    })),
  ],
  'a file manager that shows a project': [
    ...[
      '.git/config',
      '.git/HEAD',
      '.gitignore',
      '.env',
      'docker-compose.yml',
      '.npmrc',
      '.htaccess',
      '.git/index',
    ].map(
      (file, n): HonestRequest => ({
        at: n * 1_500,
        method: 'GET',
        target: `/files/project/${file}`,
        headers: [...BROWSER, ...SESSION],
        status: 200,
        content: 'may be refused',
      }),
    ),
    ...steps(
      20,
      500,
      n => ({
        target: `/files/?path=../folder-${n}`,
        headers: [...BROWSER, ...SESSION],
        content: 'may be refused' as const,
      }),
      15_000,
    ),
  ],
  git: [
    ...steps(20, 300, n => ({
      target: `/group/repo-${n}.git/info/refs?service=git-upload-pack`,
      status: n % 2 === 0 ? 401 : 200,
      headers: agent('git/2.47'),
    })),
    ...steps(20, 300, n => ({
      method: 'POST',
      target: `/group/repo-${n}.git/git-upload-pack`,
      headers: agent(
        'git/2.47',
        'Authorization',
        'Basic YTpi',
        'Content-Type',
        'application/x-git-upload-pack-request',
      ),
      body: '0000',
    })),
  ],
  'package managers': [
    ...steps(80, 60, n => ({
      target: `/maven/org/example/lib${n}/1.${n}/lib${n}-1.${n}.pom`,
      status: n % 3 === 0 ? 200 : 404,
      headers: agent('Apache-Maven/3.9'),
    })),
    ...steps(
      80,
      60,
      n => ({
        target: `/example.org/m${n}/@v/list`,
        status: n % 3 === 0 ? 200 : 404,
        headers: agent('Go-http-client/2.0'),
      }),
      6_000,
    ),
    ...steps(
      60,
      60,
      n => ({ target: `/@scope%2Fpackage-${n}`, headers: agent('npm/11', 'Authorization', 'Bearer npm_x') }),
      12_000,
    ),
    ...steps(
      60,
      60,
      n => ({ target: `/simple/package-${n}/`, status: n % 2 === 0 ? 404 : 200, headers: agent('pip/25') }),
      18_000,
    ),
  ],
  'a registry of images': steps(60, 80, n => ({
    method: 'HEAD',
    target: `/v2/app/blobs/sha256:${'a'.repeat(60)}${n}`,
    status: 404,
    headers: agent('docker/27'),
  })),
  'long polls of a chat': steps(90, 220, n => ({
    method: n % 3 === 2 ? 'POST' : 'GET',
    target: `/socket.io/?EIO=4&transport=polling&t=P${n}x&sid=abc`,
    ...(n % 3 === 2 && { body: '3', headers: [...BROWSER, 'Content-Type', 'text/plain'] }),
  })),
  'an editor that saves a text again and again although it is refused': [
    ...steps(48, 1_250, n => ({
      method: 'PUT',
      target: `/api/posts/7`,
      headers: [...BROWSER, ...SESSION, ...JSON_TYPE],
      body: JSON.stringify({
        text: `Install it with: curl -fsSL https://get.example.com | sh; cat /etc/passwd ${n}`,
      }),
      content: 'may be refused' as const,
    })),
    ...steps(20, 3_000, n => ({ target: `/api/posts/${n}`, headers: [...BROWSER, ...SESSION] })),
  ],
  'a queue that sends forty texts, each of them refused': steps(80, 700, n => ({
    method: 'POST',
    target: `/api/posts/${n}/comments`,
    headers: agent('okhttp/4', 'Authorization', 'Bearer k', ...JSON_TYPE),
    body: JSON.stringify({ text: `see <script>alert(${n})</script> and ../../etc/passwd` }),
    content: 'may be refused',
  })),
  'the editor of a blog': [
    ...steps(30, 900, n => ({
      target: `/wp-json/wp/v2/users?context=edit&page=${n}`,
      headers: [...BROWSER, 'Cookie', 'wordpress_logged_in_3f=alice%7C1'],
    })),
    ...steps(40, 600, () => ({
      method: 'POST',
      target: '/xmlrpc.php',
      headers: agent('wp-iphone/25', 'Content-Type', 'text/xml'),
      body: '<?xml version="1.0"?><methodCall><methodName>wp.getPosts</methodName></methodCall>',
    })),
    ...steps(30, 200, n => ({ target: `/wp-content/uploads/2019/0${n % 9}/old-${n}.jpg`, status: 404 })),
  ],
}
