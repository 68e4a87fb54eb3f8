/**
 * What stands behind the `import()` of a package that need not be installed. Bundlers end with an error at an
 * import that they cannot resolve, unless its failure is caught beside it.
 */
export function rethrow(error: unknown): never {
  throw error
}
