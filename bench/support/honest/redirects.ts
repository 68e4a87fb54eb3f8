import type { Draws } from './draws.ts'

/** Addresses that nobody fetches: sign-in redirects, allowed origins, webhooks, cameras. */
export function addRedirects({ int, pick, out, post, get, b64u }: Draws): void {
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
}
