import { errorCode, PosternError, writeProblem } from '@postern/core'

/** Why entries could not be published, for readiness: what the file system said comes with what to do. */
export function followProblem(error: unknown): string {
  if (!(error instanceof PosternError) && errorCode(error) !== undefined) return writeProblem(error)
  return error instanceof Error ? error.message : 'failed'
}
