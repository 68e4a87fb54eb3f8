import { importOptional } from '@postern/store'

/** The package of the OAuth server. @throws (rejects) ConfigError when it is not installed or too old */
export function loadProvider(): Promise<typeof import('oidc-provider')> {
  return importOptional(
    { name: 'oidc-provider', least: '9.0.0', tested: '9.13.3', place: 'identity.oauth', needs: 'needs' },
    import.meta.url,
    () => import(/* webpackIgnore: true */ 'oidc-provider'),
  )
}
