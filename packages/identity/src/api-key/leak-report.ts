import type { ApiKeys } from './api-keys.ts'

/** The answer to a secret scanning partner about one reported text. */
export interface LeakVerdict {
  readonly token_raw: string
  readonly token_type: string
  readonly label: 'true_positive' | 'false_positive'
}

const MOST = 100

/**
 * Takes the report of a secret scanner (the format of GitHub's secret scanning partner programme: a JSON list
 * of `{token, type, url}`) and revokes the keys in it. A signature is not needed: whoever sends a whole key
 * has found it, and all that can be done here with a found key is to revoke it.
 * @returns undefined when the body is not such a report
 */
export async function takeLeakReport(
  body: unknown,
  keys: ApiKeys,
): Promise<readonly LeakVerdict[] | undefined> {
  if (!Array.isArray(body) || body.length > MOST) return undefined
  const reports: readonly unknown[] = body
  const verdicts: LeakVerdict[] = []
  for (const report of reports) {
    if (
      typeof report !== 'object' ||
      report === null ||
      !('token' in report) ||
      typeof report.token !== 'string'
    )
      return undefined
    const where = 'url' in report && typeof report.url === 'string' ? report.url : ''
    const type = 'type' in report && typeof report.type === 'string' ? report.type.slice(0, 100) : ''
    const isOurs = report.token.length <= 200 && (await keys.reportLeak(report.token, where))
    verdicts.push({
      token_raw: report.token.slice(0, 200),
      token_type: type,
      label: isOurs ? 'true_positive' : 'false_positive',
    })
  }
  return verdicts
}
