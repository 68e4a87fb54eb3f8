import { ConfigError } from '@postern/core'
import { requireVersion } from '@postern/store'

/** The package of the OAuth server. @throws ConfigError when it is not installed or too old */
export async function loadProvider(): Promise<typeof import('oidc-provider')> {
  const place = 'identity.oauth'
  requireVersion({ name: 'oidc-provider', least: '9.0.0', tested: '9.13.3', place }, import.meta.url)
  return import(/* webpackIgnore: true */ 'oidc-provider').catch((cause: unknown) => {
    throw new ConfigError(
      {
        place,
        problem: 'needs the package oidc-provider',
        hint: 'npm install oidc-provider@9.13.3',
      },
      { cause },
    )
  })
}
