/** One replacement in a source file. */
export interface Change {
  /** Below the root of the workspace. */
  readonly file: string
  /** Occurs there once. */
  readonly from: string
  readonly to: string
}

/** A way to get a bug class wrong, and the test file that must notice. */
export interface BrokenVariant {
  readonly bugClass: BugClass
  /** What is wrong with it. */
  readonly mistake: string
  /** In this folder. */
  readonly test: string
  readonly changes: readonly Change[]
}

/** Each was a real advisory somewhere. A test is named `bug class: NAME`, alone or with more after it. */
export const BUG_CLASSES = [
  'owner from the body',
  'allow-list matched on path and query, or widened by #',
  'X-Forwarded-* trusted from anyone',
  'an internal header honoured from outside',
  'limiter key not canonical',
  'verifier cache collision',
  'algorithm confusion',
  'unknown crit',
  'redeem and rotate races',
  'open redirect and Host-header redirect',
  'account linking without ownership',
  'device-flow binding',
  'authority from a stale cache',
  'state-changing GET',
  'e-mail checked before Unicode normalisation',
  'malformed header that fails open',
  'login-state cookie not bound to the provider',
  'SSRF by provider registration',
  'empty secret accepted',
  'half-authenticated session enrols a factor',
  'alg none',
  'session fixation',
  'a confirmation that confirms something else',
  'a role that people give themselves',
] as const

export type BugClass = (typeof BUG_CLASSES)[number]

const IDENTITY = 'packages/identity/src'
const CORE = 'packages/core/src'

function variant(
  bugClass: BugClass,
  test: string,
  mistake: string,
  ...changes: readonly (readonly [file: string, from: string, to: string])[]
): BrokenVariant {
  return {
    bugClass,
    test: `${test}.test.ts`,
    mistake,
    changes: changes.map(([file, from, to]) => ({
      file: /^(?:packages|node_modules)\//.test(file) ? file : `${IDENTITY}/${file}`,
      from,
      to,
    })),
  }
}

/** Every bug class, wrong on purpose in at least one way. */
export const BROKEN_VARIANTS: readonly BrokenVariant[] = [
  variant('owner from the body', 'bug-classes', 'the owner of a key is a field of the form', [
    'pages/key-pages.ts',
    'apiKeys.create(new SessionPrincipal(session), {',
    "apiKeys.create({ kind: 'user', id: form.get('owner_id') ?? '' }, {",
  ]),
  variant('owner from the body', 'bug-classes', 'a session is ended by its id alone', [
    'session/session.sql.ts',
    "revoke: 'DELETE FROM session WHERE id = $1 AND account_id = $2'",
    "revoke: 'DELETE FROM session WHERE id = $1 AND $2 IS NOT NULL'",
  ]),
  variant(
    'allow-list matched on path and query, or widened by #',
    'csrf',
    'the decoded target is matched, with its query',
    [
      `${CORE}/route/request-path.ts`,
      "if (hash >= 0) return { ...parseRequestPath(target.slice(0, hash)), ambiguity: 'fragment' }",
      "const all = decodeURIComponent(target); const wide = all.slice(Math.max(0, all.search(/[/]hooks[/]/))); return { raw: wide, canonical: wide, query: '', ambiguity: undefined }",
    ],
  ),
  variant(
    'X-Forwarded-* trusted from anyone',
    'identify-methods',
    'headers of a proxy are trusted whoever sent them',
    [
      'verify/proxy-method.ts',
      'if (!options.from.has(exchange.peer)) return ABSENT',
      'if (options.from.isEmpty) return ABSENT',
    ],
  ),
  variant('X-Forwarded-* trusted from anyone', 'bug-classes', 'links lead to X-Forwarded-Host', [
    'pages/recovery-pages.ts',
    'site: parts,\n            path: `/recover/reset',
    "site: { ...parts, origin: `https://${request.exchange.header('x-forwarded-host')}` },\n            path: `/recover/reset",
  ]),
  variant('an internal header honoured from outside', 'bug-classes', 'left alone when nobody is signed in', [
    'built-in/pages-guard.ts',
    'this.#options.backendTokens?.apply(exchange)',
    "exchange.principal.kind === 'anonymous' ? undefined : this.#options.backendTokens?.apply(exchange)",
  ]),
  variant('an internal header honoured from outside', 'identify-methods', 'not trusted, but passed on', [
    'verify/proxy-method.ts',
    'if (!options.from.has(exchange.peer)) removeHeaders(exchange, sentNames(exchange, all))',
    'if (options.from.isEmpty) removeHeaders(exchange, sentNames(exchange, all))',
  ]),
  variant('limiter key not canonical', 'login-defence', 'each address of a /64 has tries of its own', [
    'login-defence/login-defence.ts',
    "this.#hash.of('address', networkOf(exchange.client, { v6: 64 }))",
    "this.#hash.of('address', exchange.client)",
  ]),
  variant('verifier cache collision', 'jwt', 'the signature is not part of the cache key', [
    'verify/token-cache.ts',
    'const kept = this.#entries.get(token)',
    "const kept = this.#entries.get(token) ?? [...this.#entries].find(([key]) => key.slice(0, key.lastIndexOf('.')) === token.slice(0, token.lastIndexOf('.')))?.[1]",
  ]),
  variant(
    'algorithm confusion',
    'jwt',
    'the token chooses the algorithm, and a public key is a secret',
    ['verify/key-set.ts', 'key.algorithm !== alg || (kid', '(kid'],
    ['verify/compact-jws.ts', 'if (jws.header.alg !== key.algorithm) return false', ''],
    [
      'verify/compact-jws.ts',
      'const { rule } = key',
      "const rule = jws.header.alg === 'HS256' ? { ...key.rule, kty: 'oct', hash: 'sha256', length: 32 } : key.rule",
    ],
    [
      'verify/compact-jws.ts',
      "createHmac(rule.hash ?? '', key.key)",
      "createHmac(rule.hash ?? '', key.key.export({ type: 'spki', format: 'pem' }))",
    ],
  ),
  variant('unknown crit', 'jwt', 'crit is not looked at', [
    'verify/compact-jws.ts',
    "'crit' in members || 'b64' in members",
    'false',
  ]),
  variant('redeem and rotate races', 'bug-classes', 'a link is looked up, and used up by another statement', [
    'account/one-time-tokens.ts',
    '\'DELETE FROM one_time WHERE hash = $1 AND kind = $2 AND expires_at > $3 RETURNING account_id AS "accountId", data\'',
    '\'SELECT account_id AS "accountId", data FROM one_time WHERE hash = $1 AND kind = $2 AND expires_at > $3\'',
  ]),
  variant('redeem and rotate races', 'bug-classes', 'a code of the same step counts again', [
    'totp/authenticators.ts',
    'confirmed_at IS NOT NULL AND last_step < $2',
    'confirmed_at IS NOT NULL',
  ]),
  variant('redeem and rotate races', 'bug-classes', 'a rotation does not ask for the old token', [
    'session/session.sql.ts',
    'amr = $4 WHERE hash = $1',
    'amr = $4 WHERE $1 IS NOT NULL',
  ]),
  variant(
    'redeem and rotate races',
    'oauth',
    'a code or refresh token that was used is used again',
    [
      'oauth/store/oauth-store.ts',
      'return row.consumedAt === null ? payload : {',
      "return row.id !== '' ? payload : {",
    ],
    ['oauth/store/oauth-store.ts', 'if (won) return', "if (won || hash !== '') return"],
  ),
  variant('redeem and rotate races', 'oauth-refresh-grace', 'the token before the last is answered again', [
    'oauth/store/oauth-store.ts',
    'payload === undefined || payload.consumed !== undefined ? undefined : id',
    'payload === undefined ? undefined : id',
  ]),
  variant(
    'open redirect and Host-header redirect',
    'bug-classes',
    'whatever begins with a slash is a path of ours',
    [
      'step-up/safe-path.ts',
      'if (text.length > 2_048',
      "if (text.startsWith('/')) return text\n  if (text.length > 2_048",
    ],
  ),
  variant(
    'open redirect and Host-header redirect',
    'login-defence',
    'links lead to the Host of the request',
    [
      'login-defence/login-links.ts',
      'await mail.send(mails.to, `${this.#origin}${LINK_PATH}',
      'await mail.send(mails.to, `https://${exchange.host}${LINK_PATH}',
    ],
  ),
  variant('account linking without ownership', 'bug-classes', 'who has the address has the account', [
    'oauth/external-login.ts',
    'const email = provenEmail(claims)',
    'const email = provenEmail(claims); if (email !== undefined) { const old = await accounts.byEmail(email); if (old !== undefined) return old }',
  ]),
  variant('account linking without ownership', 'bug-classes', 'a link is made for who began it', [
    'oauth/external-login.ts',
    'const isTheirs = request.session?.accountId === state.link && request.session.impersonator === undefined',
    "const isTheirs = state.link !== ''",
  ]),
  variant('device-flow binding', 'bug-classes', 'the form is not bound to the browser that was shown it', [
    'node_modules/oidc-provider/lib/shared/xsrf.js',
    "if (!constantEquals(ctx.oidc.session.state.secret, ctx.oidc.params.xsrf || '')) {",
    'if (!ctx.oidc.params.xsrf) {',
  ]),
  variant('authority from a stale cache', 'bug-classes', 'sessions that were found are remembered', [
    'session/sessions.ts',
    'const row = this.#store.find(hash, now)',
    'const seen = (globalThis.seenSessions ??= new Map()); const row = seen.get(token) ?? this.#store.find(hash, now); if (row?.roles) seen.set(token, row)',
  ]),
  variant('authority from a stale cache', 'jwt', 'a verified token holds though its key is gone', [
    'verify/token-cache.ts',
    'kept.generation === generation && ',
    '',
  ]),
  variant('state-changing GET', 'bug-classes', 'handlers are looked up by path alone', [
    'built-in/pages-guard.ts',
    'routes[`${method} ${path}`] ?? routes[',
    'routes[`POST ${path}`] ?? routes[`${method} ${path}`] ?? routes[',
  ]),
  variant('state-changing GET', 'bug-classes', 'a post of unknown origin is taken for one of ours', [
    'pages/read-page-request.ts',
    "return request.csrf !== '' && equalText(request.form.get('csrf') ?? '', request.csrf)",
    'return true',
  ]),
  variant('state-changing GET', 'csrf', 'GET is exempt also where the route says it changes something', [
    'csrf/csrf-guard.ts',
    "(setting !== 'always' && !mayChange(exchange))",
    '!mayChange(exchange)',
  ]),
  variant(
    'e-mail checked before Unicode normalisation',
    'bug-classes',
    'checked as typed, stored as normalised',
    ['account/email.ts', "const plain = text.normalize('NFKC').trim()", 'const plain = text.trim()'],
    ['account/email.ts', 'return `${local}@${domain}`', "return `${local}@${domain}`.normalize('NFKC')"],
  ),
  variant('e-mail checked before Unicode normalisation', 'login-defence', 'tries are counted as typed', [
    'login-defence/account-name.ts',
    'foldedText(name)',
    'name.trim().toLowerCase()',
  ]),
  variant(
    'malformed header that fails open',
    'bug-classes',
    'an invalid key leaves the decision to the cookie',
    [
      'built-in/identify-request.ts',
      'takesKeys && LIKE_A_KEY.test(token)',
      'takesKeys && /^postern_live_[a-z]{12}_[A-Za-z0-9_-]{43}_/.test(token)',
    ],
  ),
  variant('malformed header that fails open', 'identify-methods', 'a malformed token is taken for none', [
    'verify/authorization.ts',
    "if (count > 1 || !TOKEN.test(token)) return { kind: 'malformed' }",
    "if (count > 1 || !TOKEN.test(token)) return { kind: 'absent' }",
  ]),
  variant(
    'login-state cookie not bound to the provider',
    'bug-classes',
    'the provider is read from the address, and RFC 9207 is not checked',
    [
      'oauth/external-login.ts',
      'parts.providers.find(({ id }) => id === state?.provider)',
      "parts.providers.find(({ id }) => path.endsWith('/' + id))",
    ],
    [
      'oauth/external-login.ts',
      'new URL(`${parts.origin}${path}?${request.exchange.path.query}`)',
      'new URL(`${parts.origin}${path}?${request.exchange.path.query.replace(/iss=[^&]*/, `iss=${encodeURIComponent(provider.issuer)}`)}`)',
    ],
  ),
  variant(
    'login-state cookie not bound to the provider',
    'bug-classes',
    'the state needs no cookie',
    [
      'oauth/external-login.ts',
      'cookies.set(STATE_COOKIE, sealState(parts.secret, state), STATE_MS / 1_000)',
      'cookies.set(STATE_COOKIE, globalThis.lastState = sealState(parts.secret, state), STATE_MS / 1_000)',
    ],
    [
      'oauth/external-login.ts',
      "cookies.read(request.exchange.header('cookie'), STATE_COOKIE) ?? ''",
      "cookies.read(request.exchange.header('cookie'), STATE_COOKIE) ?? globalThis.lastState ?? ''",
    ],
  ),
  variant('SSRF by provider registration', 'oauth', 'loopback is taken for the internet', [
    'oauth/public-fetch.ts',
    "  '127.0.0.0/8',\n",
    '',
  ]),
  variant('SSRF by provider registration', 'jwt', 'keys are fetched from anywhere', [
    'verify/remote-key-set.ts',
    "(url.protocol === 'https:' || isLocal) && url.username === ''",
    "text !== ''",
  ]),
  variant('empty secret accepted', 'bug-classes', 'the length is not looked at', [
    'database/identity-secret.ts',
    'if (bytes.length < MIN_BYTES) {',
    'if (bytes.length < 0) {',
  ]),
  variant('empty secret accepted', 'jwt', 'a key of any length is a key', [
    'verify/verification-key.ts',
    'bytes === undefined || bytes.length < least',
    'bytes === undefined || least < 0',
  ]),
  variant(
    'half-authenticated session enrols a factor',
    'bug-classes',
    'a session begins with the first factor',
    [
      'parts/sign-in.ts',
      "? { kind: 'second-factor', token }",
      "? { kind: 'second-factor', token: (await this.#parts.sessions.begin({ accountId: account.id, amr, address: context.address, agent: context.agent })).token }",
    ],
  ),
  variant(
    'alg none',
    'jwt',
    'none needs no key',
    [
      'verify/compact-jws.ts',
      'if (jws.header.alg !== key.algorithm) return false',
      "if (jws.header.alg.toLowerCase() === 'none') return true",
    ],
    ['verify/key-set.ts', 'key.algorithm !== alg || (kid', '(kid'],
  ),
  variant('session fixation', 'bug-classes', 'the session from before goes on', [
    'parts/sign-in.ts',
    "if (context.previousToken !== '') await sessions.end(context.previousToken)",
    '',
  ]),
  variant(
    'a confirmation that confirms something else',
    'bug-classes',
    'any confirmation of the session is spent',
    [
      'step-up/confirmations.ts',
      'WHERE session_id = $1 AND act = $2 AND expires_at > $3 ORDER BY',
      "WHERE session_id = $1 AND $2 <> '' AND expires_at > $3 ORDER BY",
    ],
    [
      'step-up/confirmations.ts',
      "if (Buffer.from(actDigest(act, row.askedAt, row.nonce)).toString('base64url') !== row.digest)",
      "if (row.digest === '')",
    ],
  ),
  variant('a role that people give themselves', 'bug-classes', 'roles of a tenant are roles of the site', [
    'session/session-principal.ts',
    "const IN_TENANT = 'tenant:'",
    "const IN_TENANT = ''",
  ]),
]
