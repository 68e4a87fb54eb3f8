import type { HonestRequest } from '../honest-sessions.ts'
import { agent, BASIC, BEARER, BROWSER, COOKIE, digest, JSON_TYPE, steps, turn } from './session-steps.ts'

/** Clients of APIs, jobs, webhooks and telemetry. */
export const API_SESSIONS: Readonly<Record<string, readonly HonestRequest[]>> = {
  'graphql subscriptions': steps(120, 80, n => ({
    method: 'POST',
    target: '/graphql',
    headers: [
      ...BROWSER,
      ...JSON_TYPE,
      'Accept',
      n % 4 ? 'application/graphql-response+json' : 'text/event-stream',
    ],
    body: JSON.stringify({
      operationName: 'Feed',
      query:
        'subscription Feed($after: ID!, $where: PostFilter) { posts(after: $after, where: $where, orderBy: createdAt_DESC) { id ... on Post @include(if: true) { title author { name } } } }',
      variables: { after: `c${n}`, where: { OR: [{ title_contains: "O'Neill" }, { AND: [{ n_gt: 1 }] }] } },
      extensions: { persistedQuery: { version: 1, sha256Hash: digest(n) } },
    }),
  })),
  'graphql apq by GET': steps(120, 80, n => ({
    target: `/graphql?operationName=Feed&variables=%7B%22id%22%3A%22${n}%22%7D&extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%2C%22sha256Hash%22%3A%22${digest(n)}%22%7D%7D`,
    status: n % 5 ? 200 : 400,
  })),
  'grpc-web': steps(150, 60, n => ({
    method: 'POST',
    target: `/shop.v1.Catalog/${turn(['Get', 'List', 'Watch'], n)}`,
    headers: [
      ...BROWSER,
      'Content-Type',
      n % 2 ? 'application/grpc-web+proto' : 'application/grpc-web-text',
      'X-Grpc-Web',
      '1',
      'X-User-Agent',
      'grpc-web-javascript/0.1',
      'Grpc-Timeout',
      '5S',
    ],
    body: n % 2 ? '\u0000\u0000\u0000\u0000\u0005\n\u0003abc' : 'AAAAAAUKA2FiYw==',
  })),
  'connect-rpc': steps(150, 60, n => ({
    method: n % 3 ? 'POST' : 'GET',
    target:
      n % 3
        ? '/shop.v1.Catalog/Get'
        : `/shop.v1.Catalog/Get?connect=v1&encoding=json&message=%7B%22id%22%3A${n}%7D`,
    status: n % 7 ? 200 : 404,
    headers: [...BROWSER, 'Connect-Protocol-Version', '1', ...JSON_TYPE],
    ...(n % 3 && { body: '{"id":"7"}' }),
  })),
  'long polling matrix': steps(150, 150, n => ({
    target: `/_matrix/client/v3/sync?filter=0&timeout=30000&since=s${n}_7_0_1`,
    headers: agent('Element/1.11 (Linux)', ...BEARER),
  })),
  'matrix join': steps(200, 40, n => ({
    method: n % 3 ? 'GET' : 'PUT',
    target:
      n % 3
        ? `/_matrix/client/v3/spaces/!abc%3Aexample.org/${n % 2 ? 'state/m.room.name/' : `event/%24${digest(n, 43)}`}`
        : `/_matrix/client/v3/spaces/!abc%3Aexample.org/typing/%40ann%3Aexample.org`,
    status: n % 4 ? 200 : 404,
    headers: agent('Element/1.11', ...BEARER, ...JSON_TYPE),
    ...(n % 3 === 0 && { body: '{"typing":true,"timeout":30000}' }),
  })),
  'prometheus federation': steps(240, 250, n => ({
    target:
      n % 2
        ? '/metrics'
        : '/federate?match%5B%5D=%7Bjob%3D%22prometheus%22%7D&match%5B%5D=%7B__name__%3D~%22job%3A.*%22%7D',
    status: n % 6 ? 200 : 503,
    headers: agent('Prometheus/2.54.1', 'X-Prometheus-Scrape-Timeout-Seconds', '10'),
  })),
  'grafana dashboard': steps(120, 60, n => ({
    method: n % 2 ? 'POST' : 'GET',
    target:
      n % 2
        ? '/api/ds/query?ds_type=prometheus&requestId=Q1'
        : `/api/v1/query_range?query=sum(rate(http_requests_total%7Bjob%3D~%22a%7Cb%22%7D%5B5m%5D))%20by%20(le)&start=1769862605&end=1769866205&step=15`,
    headers: [...BROWSER, ...COOKIE, ...JSON_TYPE],
    ...(n % 2 && {
      body: JSON.stringify({
        queries: [
          {
            refId: 'A',
            expr: 'histogram_quantile(0.99, sum by (le) (rate(x_bucket{job=~"a|b"}[$__rate_interval]))) > 0 or vector(0)',
            datasource: { type: 'prometheus', uid: 'x' },
          },
        ],
        from: '1',
        to: '2',
      }),
    }),
  })),
  'etl pages 10000 rows': steps(200, 60, n => ({
    target: `/api/v1/orders?limit=50&offset=${n * 50}&sort=id&updated_since=2026-01-01T00%3A00%3A00Z`,
    headers: agent('python-requests/2.32.3', 'X-API-Key', 'k_live_1'),
  })),
  'etl by id with key': steps(400, 50, n => ({
    target: `/api/v1/orders/${1000 + n}`,
    status: n % 12 ? 200 : 404,
    headers: agent('python-httpx/0.27.2', 'X-API-Key', 'k_live_1'),
  })),
  'etl writes by id': steps(300, 60, n => ({
    method: turn(['PUT', 'PATCH', 'DELETE'], n),
    target: `/api/v1/orders/${1000 + n}`,
    status: n % 9 ? 200 : 409,
    headers: agent('node-fetch', 'X-API-Key', 'k_live_1', ...JSON_TYPE),
    ...(n % 3 < 2 && { body: '{"state":"sent"}' }),
  })),
  'mobile retry storm 503': steps(200, 100, n => ({
    method: n % 2 ? 'POST' : 'GET',
    target: turn(['/api/v3/feed', '/api/v3/devices', '/api/v3/events/batch'], n),
    status: n > 150 ? 200 : 503,
    headers: agent('MyApp/812 CFNetwork/1568.100.1 Darwin/24.0.0', ...BEARER, ...JSON_TYPE),
    ...(n % 2 && { body: '{"e":[1]}' }),
  })),
  'mobile retry storm 429 and 401': steps(100, 150, n => ({
    method: 'POST',
    target: '/api/v3/token/refresh',
    status: n % 2 ? 401 : 429,
    headers: agent('MyApp/812 okhttp/4.12.0', ...JSON_TYPE),
    body: '{"refreshToken":"r1"}',
  })),
  'activitypub inbox': steps(200, 60, n => ({
    method: 'POST',
    target: n % 2 ? '/inbox' : '/users/ann/inbox',
    status: n % 5 ? 202 : 401,
    headers: agent(
      'Mastodon/4.3.1 (http.rb/5.2.0; +https://social.example/)',
      'Content-Type',
      'application/activity+json',
      'Signature',
      'keyId="https://social.example/actor#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="abc"',
      'Digest',
      'SHA-256=abc',
    ),
    body: JSON.stringify({
      '@context': ['https://www.w3.org/ns/activitystreams', { ostatus: 'http://ostatus.org#' }],
      id: `https://social.example/users/b#delete-${n}`,
      type: 'Delete',
      actor: 'https://social.example/users/b',
      object: 'https://social.example/users/b',
      to: ['https://www.w3.org/ns/activitystreams#Public'],
    }),
  })),
  'stripe webhooks': steps(100, 200, n => ({
    method: 'POST',
    target: '/webhooks/stripe',
    status: n % 3 ? 200 : 500,
    headers: agent(
      'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'Content-Type',
      'application/json; charset=utf-8',
      'Stripe-Signature',
      't=1,v1=abc',
    ),
    body: JSON.stringify(
      {
        id: `evt_${n}`,
        object: 'event',
        data: { object: { url: '/v1/charges', description: "Ann's order; drop off at gate" } },
        type: 'charge.succeeded',
      },
      null,
      2,
    ),
  })),
  'elasticsearch bulk': steps(120, 60, n => ({
    method: n % 2 ? 'POST' : 'GET',
    target: n % 2 ? '/_bulk' : '/logs-*/_search?size=0',
    headers: agent('elasticsearch-py/8.15.1', ...BASIC, 'Content-Type', 'application/x-ndjson'),
    body:
      n % 2
        ? `{"index":{"_index":"logs","_id":"${n}"}}\n{"message":"user logged in","path":"/home"}\n`
        : '{"query":{"bool":{"must":[{"match":{"a":"b"}}],"filter":[{"range":{"@timestamp":{"gte":"now-1h"}}}]}}}',
  })),
  'prometheus remote write and otlp': steps(200, 100, n => ({
    method: 'POST',
    target: ['/api/v1/write', '/v1/traces', '/loki/api/v1/push', '/api/v2/write?org=o&bucket=b&precision=ns'][
      n % 4
    ] as string,
    status: n % 6 ? 204 : 429,
    headers: agent(
      'OpenTelemetry Collector/0.112.0',
      'Content-Type',
      ['application/x-protobuf', 'application/x-protobuf', 'application/json', 'text/plain; charset=utf-8'][
        n % 4
      ] as string,
      ...(n % 4 === 0 ? ['Content-Encoding', 'snappy'] : []),
    ),
    body: [
      '\u0005\u0010abcde',
      '\n\u0005abc',
      '{"streams":[{"stream":{"app":"x"},"values":[["1","GET /a 200"]]}]}',
      'cpu,host=a\\ b usage=1.5,msg="it\'s fine" 1769862605000000000\nmem,host=b used=5i 1',
    ][n % 4] as string,
  })),
  'ssr server without user agent': steps(300, 40, n => ({
    target: `/api/cms/pages/${n % 50}`,
    headers: ['Accept', 'application/json'],
    status: n % 20 ? 200 : 404,
  })),
  'cors preflights of a spa': steps(300, 40, n => ({
    method: n % 2 ? 'PUT' : 'OPTIONS',
    target: `/api/rows/${Math.floor(n / 2)}`,
    status: n % 2 ? 200 : 204,
    headers: [
      ...BROWSER,
      'Origin',
      'https://app.example',
      ...(n % 2
        ? [...JSON_TYPE, ...BEARER]
        : [
            'Access-Control-Request-Method',
            'PUT',
            'Access-Control-Request-Headers',
            'authorization,content-type',
          ]),
    ],
    ...(n % 2 && { body: '{"v":1}' }),
  })),
}
