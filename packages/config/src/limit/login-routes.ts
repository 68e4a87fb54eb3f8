/** Where logins usually are, so that guessing is slowed down before anybody configured anything. */
export const LOGIN_ROUTES: readonly string[] = [
  'POST /login',
  'POST /login/**',
  'POST /signin',
  'POST /sign-in',
  'POST /logon',
  'POST /session',
  'POST /sessions',
  'POST /users/sign_in',
  'POST /users/login',
  'POST /user/login',
  'POST /account/login',
  'POST /accounts/login',
  'POST /identity/account/login',
  'POST /admin/login',
  'POST /authenticate',
  'POST /api/login',
  'POST /api/authenticate',
  'POST /api/signin',
  'POST /api/session',
  'POST /api/sessions',
  'POST /api/users/login',
  'POST /api/v1/login',
  'POST /auth/**',
  'POST /api/auth/**',
  'POST /api/v1/auth/**',
  'POST /token',
  'POST /api/token',
  'POST /connect/token',
  'POST /oauth/token',
  'POST /oauth2/token',
  'POST /forgot-password',
  'POST /reset-password',
  'POST /password/**',
  'POST /users/password',
  'POST /accounts/password/reset',
  'POST /j_security_check',
  'POST /j_spring_security_check',
  'POST /wp-login.php',
]

/**
 * What a page sends below those addresses without anybody typing a password: each tab renews its session when
 * it opens, and a page that signs out ends it. Nothing in it can be guessed.
 */
const NOTHING_TO_GUESS =
  /^\/(?:api\/(?:v1\/)?)?auth\/(?:(?:jwt|tokens?|sessions?)\/)?(?:refresh(?:[-_]?token)?|log-?out|sign-?out|log-?off|_log)$/i

/** Whether a canonical path of `LOGIN_ROUTES` renews or ends a session. */
export function renewsSession(path: string): boolean {
  return NOTHING_TO_GUESS.test(path)
}
