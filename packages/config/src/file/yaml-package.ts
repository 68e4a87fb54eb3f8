import { createRequire } from 'node:module'

// A bundle in CommonJS knows its file by another name.
const require = createRequire(import.meta.url ?? __filename)

/** The package `yaml`, loaded when the first configuration file in YAML or JSON is read or edited. */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml') as typeof import('yaml')
}
