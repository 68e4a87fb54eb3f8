import { checkConfig, type LoadedConfig } from '../config/load-config.ts'
import type { Overrides } from './worker-plan.ts'

/** A configuration with what the command line says over it. @throws ConfigError when the two do not fit */
export function overridden(
  loaded: LoadedConfig,
  overrides: Overrides,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const said = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  return checkConfig(
    { ...loaded.file, value: { ...loaded.config, ...said }, place: loaded.file.place },
    environment,
  )
}
