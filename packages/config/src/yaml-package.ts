import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The package `yaml`, loaded when the first configuration file in YAML or JSON is read or edited. */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml') as typeof import('yaml')
}
