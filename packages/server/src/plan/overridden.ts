import type { ConfigPath } from '@postern/config'
import { checkConfig, type LoadedConfig } from '@postern/config'
import type { Overrides } from './worker-plan.ts'

/** A configuration with what the command line says over it. @throws ConfigError when the two do not fit */
export function overridden(
  loaded: LoadedConfig,
  overrides: Overrides,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const said = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  // The file was checked by itself: what is wrong with a key that the command line says is wrong there.
  const place = (path: ConfigPath): string => optionOf(path, said) ?? loaded.file.place(path)
  return checkConfig({ ...loaded.file, value: { ...loaded.written, ...said }, place }, environment)
}

const OPTIONS: Readonly<Record<string, string>> = {
  upstream: '--to',
  mode: '--observe',
  trustProxies: '--trust',
}

function optionOf([key, part]: ConfigPath, said: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof key !== 'string' || !Object.hasOwn(said, key)) return undefined
  return key === 'forwardAuth' && part !== undefined ? `--${part}` : (OPTIONS[key] ?? `--${key}`)
}
