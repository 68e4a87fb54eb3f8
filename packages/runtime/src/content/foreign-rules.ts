import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { CompiledInspection } from '@postern/config'
import { ConfigError, FILE_HINT, fileProblem } from '@postern/core'
import {
  type InspectionOptions,
  type LoadedRules,
  loadDatadogRules,
  loadSecLangRules,
  type NativeOpinionOptions,
  nativeOpinion,
} from '@postern/inspect'

/** Rules of others beside ours, and how many of them were not understood. */
export interface ForeignRules {
  readonly options: Pick<InspectionOptions, 'rules' | 'secondOpinion'>
  readonly loaded: number
  readonly skipped: number
}

const DATADOG_RULES = 'dd-trace/packages/dd-trace/src/appsec/recommended.json'
const NATIVE = '@datadog/native-appsec'

/**
 * Reads what `inspect.rules` and `inspect.secondOpinion` name. Packages are those of the application, found
 * from the configuration's folder; nothing of them is shipped here.
 * @throws ConfigError for a file or package that is not there, or that is not understood
 */
export function foreignRules({ rules, secondOpinion }: CompiledInspection, folder: string): ForeignRules {
  const all: LoadedRules[] = []
  const { ddtrace, seclang, unsupported } = rules
  if (ddtrace !== undefined && ddtrace !== false) all.push(loadDatadogRules(datadogRules(ddtrace, folder)))
  for (const [index, file] of seclang.entries()) {
    const text = readText(resolve(folder, file), `inspect.rules.seclang[${index}]`)
    all.push(loadSecLangRules(text, { file, unsupported }))
  }
  const found = all.flatMap(one => one.rules)
  return {
    options: {
      ...(found.length > 0 && { rules: found }),
      ...(secondOpinion === 'native-appsec' && {
        secondOpinion: nativeOpinion({ engine: nativeEngine(ddtrace || true, folder) }),
      }),
    },
    loaded: found.length,
    skipped: all.reduce((sum, one) => sum + one.skipped.length, 0),
  }
}

/** @param file a path, or true for the file of the dd-trace that the application installed */
function datadogRules(file: string | true, folder: string): unknown {
  const place = 'inspect.rules.ddtrace'
  const path = file === true ? installed(DATADOG_RULES, 'dd-trace', place, folder) : resolve(folder, file)
  try {
    const value: unknown = JSON.parse(readText(path, place))
    return value
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(
      { place, problem: `${path} is not JSON`, hint: 'name the rules file of dd-trace' },
      { cause },
    )
  }
}

interface NativeModule {
  readonly DDWAF: new (rules: unknown, name: string) => NativeOpinionOptions['engine']
}

function nativeEngine(rules: string | true, folder: string): NativeOpinionOptions['engine'] {
  const place = 'inspect.secondOpinion'
  const path = installed(NATIVE, NATIVE, place, folder)
  const { DDWAF } = createRequire(path)(path) as NativeModule
  return new DDWAF(datadogRules(rules, folder), 'recommended')
}

function installed(name: string, packageName: string, place: string, folder: string): string {
  try {
    return createRequire(join(folder, 'package.json')).resolve(name)
  } catch (cause) {
    throw new ConfigError(
      { place, problem: `needs ${packageName}, which is not installed`, hint: `npm install ${packageName}` },
      { cause },
    )
  }
}

function readText(path: string, place: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError({ place, problem: `${path} ${fileProblem(cause)}`, hint: FILE_HINT }, { cause })
  }
}
