import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  type NativeAppsec,
  nativeOpinion,
  type SecondOpinion,
} from '../../packages/inspect/src/loaders/native-appsec.ts'

/** native-appsec with the rules dd-trace ships, as installed beside the benchmarks. */
export function nativeWithRecommendedRules(): SecondOpinion {
  const require = createRequire(import.meta.url)
  const { DDWAF } = require('@datadog/native-appsec') as {
    DDWAF: new (rules: object, path: string) => NativeAppsec
  }
  const rules = JSON.parse(
    readFileSync(require.resolve('dd-trace/packages/dd-trace/src/appsec/recommended.json'), 'utf8'),
  ) as object
  return nativeOpinion({ engine: new DDWAF(rules, 'recommended'), timeout: 1_000_000 })
}
