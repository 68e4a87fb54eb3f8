/** Another provider that people can sign in with. */
export interface ExternalProvider {
  /** Part of the redirect URI, `/.postern/external/callback/ID`: small letters, digits, hyphens. */
  readonly id: string
  /** What the button says. */
  readonly name: string
  /** Its issuer, exactly as in its metadata. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: string
  /** Default `openid email profile`. */
  readonly scope?: string
}
