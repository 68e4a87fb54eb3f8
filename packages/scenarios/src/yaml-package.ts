import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * The package `yaml`, loaded when the first YAML text is read: the scenarios that are shipped need it only in
 * the sources.
 */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml') as typeof import('yaml')
}
