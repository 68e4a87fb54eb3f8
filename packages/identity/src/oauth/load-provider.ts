import { notLoaded, type OptionalPackage, requireVersion } from '@postern/store'

/** The package of the OAuth server. @throws (rejects) ConfigError when it is not installed or too old */
export async function loadProvider(): Promise<typeof import('oidc-provider')> {
  requireVersion(PROVIDER, import.meta.url)
  return import(/* webpackIgnore: true */ 'oidc-provider').catch(notLoaded(PROVIDER))
}

const PROVIDER: OptionalPackage = {
  name: 'oidc-provider',
  least: '9.0.0',
  tested: '9.13.3',
  place: 'identity.oauth',
  needs: 'needs',
}
