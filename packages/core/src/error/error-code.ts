/**
 * The code of an error of the platform (`ENOENT`, `ERR_INVALID_STATE`), of a driver or of ours. Asks for no
 * class: under Jest and in `node:vm` an error of Node belongs to another realm and is no `Error` there.
 * @returns undefined when there is none
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
