import type { Config } from '@postern/config'

/**
 * Gives a configuration its type.
 * @example
 * ```ts
 * // postern.config.ts
 * import { defineConfig, limit } from 'postern'
 *
 * export default defineConfig({
 *   upstream: 'http://127.0.0.1:3000',
 *   routes: { 'POST /login': { throttle: limit(5, '1m') } },
 * })
 * ```
 */
export function defineConfig(config: Config): Config {
  return config
}
