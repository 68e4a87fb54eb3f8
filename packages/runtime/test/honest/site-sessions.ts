import type { HonestRequest } from '../honest-sessions.ts'
import { agent, BROWSER, COOKIE, digest, JSON_TYPE, steps, turn } from './session-steps.ts'

/** Browsers, crawlers, checkers and what pages load. */
export const SITE_SESSIONS: Readonly<Record<string, readonly HonestRequest[]>> = {
  'feed reader aggregator 80 feeds': steps(80, 250, n => ({
    target:
      turn(['/feed/', '/index.xml', '/blog/rss', '/comments/feed/', '/atom.xml', '/feed.json'], n) +
      (n % 2 ? `?tag=${n}` : ''),
    status: turn([304, 200, 404, 301, 410, 304], n),
    headers: agent(
      'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)',
      'If-None-Match',
      '"abc"',
    ),
  })),
  'hls video': [
    ...steps(3, 50, n => ({ target: `/vod/7/${['master', 'v1', 'a1'][n]}.m3u8` })),
    ...steps(
      300,
      100,
      n => ({
        target: `/vod/7/${turn(['v1', 'a1'], n)}/seg-${n}.ts?t=${n}`,
        headers: [...BROWSER, 'Range', `bytes=${n * 1000}-`],
        status: n % 2 ? 206 : 200,
      }),
      200,
    ),
  ],
  'map tiles sparse': steps(300, 30, n => ({
    target: `/tiles/12/${2100 + (n % 17)}/${1300 + Math.floor(n / 17)}${n % 2 ? '@2x' : ''}.png`,
    status: n % 3 ? 200 : 404,
  })),
  'map vector tiles and glyphs': steps(200, 30, n => ({
    target:
      n % 5
        ? `/data/v3/14/${8800 + n}/${5370 + n}.pbf`
        : `/fonts/Noto%20Sans%20Regular/${n * 256}-${n * 256 + 255}.pbf`,
    status: n % 4 ? 200 : 204,
  })),
  'wms map': steps(150, 40, n => ({
    target: `/geoserver/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=topp%3Astates&CQL_FILTER=POP%20%3E%20${n}%20AND%20NAME%20LIKE%20%27A%25%27&BBOX=${n},1,2,3&WIDTH=256&HEIGHT=256`,
    content: 'may be refused',
  })),
  'service worker precache 200': steps(200, 5, n => ({
    target: `/assets/${digest(n, 8)}.${turn(['js', 'css', 'woff2', 'webp'], n)}?__WB_REVISION__=${digest(n, 32)}`,
    headers: [...BROWSER, 'Sec-Fetch-Dest', 'empty', 'Service-Worker', 'script'],
    status: n % 40 ? 200 : 404,
  })),
  'uptime monitors of three kinds': steps(120, 500, n => ({
    method: n % 2 ? 'HEAD' : 'GET',
    target: turn(['/', '/login', '/api/health', '/status?cachebust=1769862605', '/wp-login.php'], n),
    status: turn([200, 200, 503, 200, 404], n),
    headers: agent(
      turn(
        [
          'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
          'Uptime-Kuma/1.23.15',
          'Blackbox-Exporter/0.25.0',
        ],
        n,
      ),
    ),
  })),
  'link checker with 40 % broken': steps(200, 100, n => ({
    method: n % 2 ? 'HEAD' : 'GET',
    target: `/old/page-${n}.html`,
    status: n % 5 < 2 ? 404 : 200,
    headers: agent('linkchecker/10.2 (+https://linkchecker.github.io/linkchecker/)'),
  })),
  'sitemap crawler bing': steps(400, 120, n => ({
    target:
      n < 3 ? (['/robots.txt', '/sitemap.xml', '/sitemap-2.xml.gz'][n] as string) : `/de/artikel/${n}-schoen`,
    status: n % 10 ? 200 : 404,
    headers: agent(
      'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
      'From',
      'bingbot(at)microsoft.com',
    ),
  })),
  'screaming frog of the owner': steps(500, 60, n => ({
    target: `/shop/kategorie/${n}`,
    status: n % 20 ? 200 : 404,
    headers: agent('Screaming Frog SEO Spider/20.4'),
  })),
  'search as you type algolia': steps(80, 90, n => ({
    method: 'POST',
    target: '/1/indexes/*/queries?x-algolia-agent=Algolia%20for%20JavaScript%20(4.24.0)%3B%20Browser',
    headers: [...BROWSER, 'Content-Type', 'application/x-www-form-urlencoded'],
    body: JSON.stringify({
      requests: [
        {
          indexName: 'p',
          params: `query=${encodeURIComponent('union jack & roll or die'.slice(0, n % 24))}&hitsPerPage=5`,
        },
      ],
    }),
  })),
  'browser restores 20 tabs': Array.from({ length: 20 }, (_, t) => [
    ...steps(1, 1, () => ({ target: `/t/${t}`, headers: [...BROWSER, ...COOKIE] }), t * 30),
    ...steps(
      18,
      15,
      n => ({
        target: n % 6 === 5 ? `/api/u/${t * 18 + n}` : `/static/c${n}.js`,
        headers: [...BROWSER, ...COOKIE],
        status: n % 6 === 5 ? 404 : 304,
      }),
      t * 30 + 40,
    ),
  ]).flat(),
  lighthouse: steps(160, 40, n => ({
    target:
      n < 10
        ? ([
            '/',
            '/robots.txt',
            '/favicon.ico',
            '/manifest.json',
            '/.well-known/assetlinks.json',
            '/sw.js',
            '/apple-touch-icon.png',
            '/llms.txt',
            '/offline',
            '/?utm_source=lighthouse',
          ][n] as string)
        : `/a/${n % 40}.js.map`,
    status: n < 10 ? ([200, 404, 404, 404, 404, 404, 404, 404, 404, 200][n] as number) : n % 2 ? 404 : 200,
    headers: [
      'User-Agent',
      'Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse',
    ],
  })),
  'devtools source maps': steps(90, 15, n => ({ target: `/assets/chunk-${n}.js.map`, status: 404 })),
  'password managers and platforms': steps(30, 200, n => ({
    target: [
      '/.well-known/change-password',
      '/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200',
      '/apple-app-site-association',
      '/.well-known/apple-app-site-association',
      '/.well-known/assetlinks.json',
      '/.well-known/passkey-endpoints',
      '/.well-known/webauthn',
      '/.well-known/appspecific/com.chrome.devtools.json',
      '/browserconfig.xml',
      '/apple-touch-icon-precomposed.png',
      '/apple-touch-icon-120x120.png',
      '/favicon.ico',
      '/.well-known/gpc.json',
      '/.well-known/traffic-advice',
      '/ads.txt',
      '/app-ads.txt',
      '/humans.txt',
      '/security.txt',
      '/.well-known/security.txt',
      '/sellers.json',
      '/opensearch.xml',
      '/crossdomain.xml',
      '/clientaccesspolicy.xml',
      '/.well-known/dnt-policy.txt',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/.well-known/nodeinfo',
      '/.well-known/host-meta',
      '/.well-known/webfinger?resource=acct%3Aann%40shop.example',
      '/.well-known/ai-plugin.json',
    ][n] as string,
    status: 404,
  })),
  'mcp client discovery': steps(30, 100, n => ({
    method: n % 3 ? 'GET' : 'POST',
    target: turn(
      ['/mcp', '/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-authorization-server/mcp'],
      n,
    ),
    status: turn([401, 404, 404], n),
    headers: agent('node', ...JSON_TYPE, 'MCP-Protocol-Version', '2025-06-18'),
    ...(n % 3 === 0 && {
      body: '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
    }),
  })),
  'fediverse fetch storm': steps(200, 40, n => ({
    target: n % 2 ? `/@ann/${112000000 + n}` : '/.well-known/webfinger?resource=acct:ann@shop.example',
    status: n % 3 ? 200 : 410,
    headers: agent(
      `Mastodon/4.${n % 4}.1 (http.rb/5.2.0; +https://s${n}.example/) Bot`,
      'Accept',
      'application/activity+json',
    ),
  })),
  'sentry beacons': steps(120, 80, n => ({
    method: 'POST',
    target: `/api/42/envelope/?sentry_key=abc&sentry_version=7&sentry_client=sentry.javascript.browser%2F8.33.1`,
    status: n % 4 ? 200 : 429,
    headers: [...BROWSER, 'Content-Type', 'text/plain;charset=UTF-8'],
    body: `{"event_id":"${digest(n, 32)}","sent_at":"2026-01-31T00:00:00Z","sdk":{"name":"sentry.javascript.browser"}}\n{"type":"event"}\n{"exception":{"values":[{"type":"TypeError","value":"Cannot read properties of undefined (reading 'map')","stacktrace":{"frames":[{"filename":"https://shop.example/assets/a.js","function":"?"}]}}]}}`,
    content: 'may be refused',
  })),
  'csp reports': steps(120, 60, n => ({
    method: 'POST',
    target: '/csp-report',
    status: 204,
    headers: [...BROWSER, 'Content-Type', n % 2 ? 'application/csp-report' : 'application/reports+json'],
    body: JSON.stringify({
      'csp-report': {
        'document-uri': `https://shop.example/p/${n}`,
        'violated-directive': 'script-src',
        'blocked-uri': 'inline',
        'script-sample': 'window.dataLayer=window.dataLayer||[]',
      },
    }),
    content: 'may be refused',
  })),
  'analytics pixels': steps(200, 40, n => ({
    target: `/matomo.php?action_name=Shop%20%E2%80%93%20Start&idsite=1&rec=1&r=${n * 997}&h=12&m=1&s=${n}&url=https%3A%2F%2Fshop.example%2Fp%3Fq%3D1&urlref=https%3A%2F%2Fwww.google.com%2F&_id=${digest(n, 16)}&send_image=0&pdf=1&res=1920x1080`,
    status: 204,
  })),
  'wordpress admin': [
    ...steps(80, 150, n => ({
      method: n % 2 ? 'POST' : 'GET',
      target:
        n % 2
          ? '/wp-admin/admin-ajax.php'
          : `/wp-admin/${turn(['edit.php?post_type=page', 'plugins.php', 'load-styles.php?c=0&dir=ltr&load%5Bchunk_0%5D=dashicons,admin-bar,common', 'options-general.php'], n)}`,
      headers: [...BROWSER, 'Cookie', 'wordpress_logged_in_x=ann%7C1'],
      ...(n % 2 && {
        headers: [
          ...BROWSER,
          'Cookie',
          'wordpress_logged_in_x=ann%7C1',
          'Content-Type',
          'application/x-www-form-urlencoded; charset=UTF-8',
        ],
        body: 'interval=60&_nonce=abc&action=heartbeat&screen_id=dashboard&has_focus=true',
      }),
    })),
  ],
  'email gateway link scanner': steps(60, 100, n => ({
    method: n % 2 ? 'HEAD' : 'GET',
    target: `/confirm?token=${digest(n, 40)}`,
    status: n % 2 ? 405 : 410,
    headers: agent('Mozilla/5.0 (Windows NT 10.0; Win64; x64)'),
  })),
  'repo browser shows dotfiles': steps(40, 600, n => ({
    target: `/team/app/src/branch/main/${turn(['.env.example', '.gitignore', 'Dockerfile', 'wp-config.php', '.github/workflows/ci.yml', 'config/database.yml', 'phpinfo.php', '.htaccess'], n)}`,
    headers: [...BROWSER, ...COOKIE],
    content: 'may be refused',
  })),
}
