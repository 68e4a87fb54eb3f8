import type { LoadedConfig } from '@postern/config'

/** Whether a configuration says itself where its admin listener is: then no other port will do. */
export function asksForAdminPort({ admin }: LoadedConfig['written']): boolean {
  return admin !== undefined && admin !== false && admin.listen !== undefined
}
