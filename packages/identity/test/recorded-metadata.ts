/** What a provider published: the members of its discovery document and key set that matter here. */
export interface RecordedProvider {
  /** `issuer` and `jwks_uri` of `/.well-known/openid-configuration`. */
  readonly issuer: string
  readonly jwks: string
  /** Keys as published, without their certificates; the private halves are the providers' own. */
  readonly keys: readonly Readonly<Record<string, string>>[]
  /** Ids of those that sign tokens. */
  readonly signing: readonly string[]
}

const rsa = { kty: 'RSA', e: 'AQAB' } as const

/**
 * As recorded in public test suites: Auth0, Keycloak and Entra ID in redpanda-data/redpanda
 * (`src/v/security/tests/jwt_test.cc`, 2023), a Cognito user pool of us-east-1 in a public client of 2025, a
 * development instance of Clerk in a public report of 2025 about its keys. A
 * Keycloak realm publishes a key for encryption too; keys of Entra ID name no algorithm; the key ids of
 * Cognito are base64, not base64url.
 */
export const RECORDED: Readonly<
  Record<'auth0' | 'clerk' | 'keycloak' | 'entra' | 'cognito', RecordedProvider>
> = {
  auth0: {
    issuer: 'https://dev-ltxchcls4igzho78.us.auth0.com/',
    jwks: 'https://dev-ltxchcls4igzho78.us.auth0.com/.well-known/jwks.json',
    signing: ['tMQzailSAdaW4nojXxES9'],
    keys: [
      {
        ...rsa,
        use: 'sig',
        alg: 'RS256',
        kid: 'tMQzailSAdaW4nojXxES9',
        x5t: '_LDYs6FFeEvJ-ng_a5-cxjUYaRw',
        n: 'zs8Zk1hD9hh8XGfXy21K5yzreZf7R9vYTQTNVGKdDDHfB7YRbC1FRwi6pGca3ElQHtH5l4S93MUaQtkN8JYI-5YyGzxBOVyiwdc_qJ-jNWYzVdZX7PuCo-h3ikBJkD5N9f9b-zv0c_uHhtluzHQkhaCxVJn5t4XQ5HAm1qfxJgotVXbrTDGAdZEh7p5RI2kU8RAGE68RLUVsAGXdefs73QGVpM_uGONlqfMQk05ewyS2iqo14MfMwUn60gREk1w7riMGJvddEATe8XfOTZwErsf8ZcExXMVOcBmIn694y1CZx6LimrWIzWynvuC6h8OFCC76I_TiPHqiMaLXqaNabQ',
      },
    ],
  },
  clerk: {
    issuer: 'https://ace-wallaby-84.clerk.accounts.dev',
    jwks: 'https://ace-wallaby-84.clerk.accounts.dev/.well-known/jwks.json',
    signing: ['ins_2xqHt2jXH8V7QWbmLFqA8uNpn7j'],
    keys: [
      {
        ...rsa,
        use: 'sig',
        alg: 'RS256',
        kid: 'ins_2xqHt2jXH8V7QWbmLFqA8uNpn7j',
        n: 'w2F9jfoHTpN5_hriW--ljT6xx4xH3Z8QGB9YcjRr2pgTFcQi4dLqiraz-v04j-QNW9nNThHUyD1jDbT8-sxcx2J0MWzbDm1zik0mjnJLaSLR8HuWQuqNJeS6o41kHyC_nZDhoSlRKfgKpNYKnkrqPPXvmA8D4vlAT0u2Tcvvz6cyn8g3v9v0RUkdaan19ZruDm60OcwuvxudETgCvboB9xb1nhFI0fHnz8LnzBowcscdToH9dRiSzwu_jI07tNmSRqYiCDUUS4eVivu8G5WiAPHV8E1-Efj3Qeno6JYOUQwxhc4vw6X3W_zEk2C_c8stG-1aT0bCIHd9ZsgcSPuC3w',
      },
    ],
  },
  keycloak: {
    issuer: 'http://docker-rp-1:8080/realms/demorealm',
    jwks: 'http://docker-rp-1:8080/realms/demorealm/protocol/openid-connect/certs',
    signing: ['kf46eDlB9jtz2PpktQ6NQSfRwoU_tT3NqxlI8C4MGvQ'],
    keys: [
      {
        ...rsa,
        use: 'enc',
        alg: 'RSA-OAEP',
        kid: 'EWGWeiW8jqUC_T7Fawi5ecRbrDOanB_uqtTgAOgJDPk',
        n: '0OceMDMwIZCADl3oZnevxMBzB5GTLwFYevc7PFbw394YY4-Sdt4xqudPMSf2WhU22CidYiMVP1xvcZP7W_5eNLS9nNg3gsswgPiL52ZbWeWoOYx1WDVZzZur3YyjOR1iYvwhR572JumAfDE64y2cHpN2meVana9Zv7S4_yc9pFwGdPTJh7O76lamMjigfYKGF8BKSsFYPkxh_RgaRVqOaaF-CtXPBWmwqvJZ1r0h7GewcP5QeyaUUrZtTo7z0H6VovUGdwguL-OxhWVWZNyGDudtc50PPu3BBn47NpZIa4qCBEsMpm0mJ7YUvwAG-Ktd93uSquJkXvFjaVbTYj_iqQ',
      },
      {
        ...rsa,
        use: 'sig',
        alg: 'RS256',
        kid: 'kf46eDlB9jtz2PpktQ6NQSfRwoU_tT3NqxlI8C4MGvQ',
        n: '3yqePLS9Q5Nf-q-ujodgMbblIwwPsEUCcXSxBS0eqrrSTNuPaHr-v_y_yyfKfxqhEmK_MBVvlXXmmwWZk6rWlR2hSdQW6Ih7UWLVaNOT35slcCfjQWQa3O0ZHxzemhgj0HHQ9x8t_AcK1wJd_hMjl3qwG12V1l-9-vSVIOrnl47YXC57K_j8MuNBPr1YdD4Rm9GGFxPQPRpc3nxTO2tFkkeGubfN6eJ226OvaA1uP6SlZEeA4KSjd-Bl0AAKotKcF9orHOuiceAarKs6uGZ84GocGaUtEEOli4e5bJrnNOXZDzCo34VdhFXFmJ2vU3g1XkY8e9wgA0fs9b3OhjqXIw',
      },
    ],
  },
  entra: {
    issuer: 'https://login.microsoftonline.com/9a95fd9e-005d-487a-9a01-d08c1eab2757/v2.0',
    jwks: 'https://login.microsoftonline.com/9a95fd9e-005d-487a-9a01-d08c1eab2757/discovery/v2.0/keys',
    signing: ['9GmnyFPkhc3hOuR22mvSvgnLo7Y'],
    keys: [
      {
        ...rsa,
        use: 'sig',
        kid: '9GmnyFPkhc3hOuR22mvSvgnLo7Y',
        x5t: '9GmnyFPkhc3hOuR22mvSvgnLo7Y',
        n: 'z_w-5U4eZwenXYnEgt2rCN-753YQ7RN8ykiNprNiLl4ilpwAGLWF1cssoRflsSiBVZcCSwUzUwsifG7sbRq9Vc8RFs72Gg0AUwPsJFUqNttMg3Ot-wTqsZtE5GNSBUSqnI-iWoZfjw-uLsS0u4MfzP8Fpkd-rzRlifuIAYK8Ffi1bldkszeBzQbBZbXFwiw5uTf8vEAkH_IAdB732tQAsNXpWWYDV74nKAiwLlDS5FWVs2S2T-MPNAg28MLxYfRhW2bUpd693inxI8WTSLRncouzMImJF4XeMG2ZRZ0z_KJra_uzzMCLbILtpnLA95ysxWw-4ygm3MxN2iBM2IaJeQ',
        issuer: 'https://login.microsoftonline.com/9a95fd9e-005d-487a-9a01-d08c1eab2757/v2.0',
      },
    ],
  },
  cognito: {
    issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_GUFWfhI7g',
    jwks: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_GUFWfhI7g/.well-known/jwks.json',
    signing: ['udQ2TtD4g3Jc3dORobozGYu/T3qqcCtJonq0dwcrF8g='],
    keys: [
      {
        ...rsa,
        use: 'sig',
        alg: 'RS256',
        kid: 'udQ2TtD4g3Jc3dORobozGYu/T3qqcCtJonq0dwcrF8g=',
        n: 'pwNwcNWr0CWijS_RlmooyzRq5Ud5GBDXKiTtS_4TV9MkXmxctKwiLFa_wnWsPw2B_RyQ6aY06de1qzylabuGcDQBpWFjmSWBoMiAFa2Facbhr4RnElLrs5MZTI3KZPVQlQaL0vvOERWC-3qe3HIG3EeaPyciSXS4aB2ldZCdLd2vtVJNwlzroqKiptXay9AeyQwiF6Tk2CXq4XZ3bcC5sFl53XjofoXXyZCrkBDjHBppE9Rhm0aw7u3DSozPbkiAEK-x92xQZ-Ymrl1eTLL4J08KiBdog2gVWYJqM9DdJ1T0rTBNXxNKgpnP9M83KnN8ViRgayBfLlyLpOOFaFK5lw',
      },
    ],
  },
}
