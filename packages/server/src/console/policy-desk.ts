import { resolve } from 'node:path'
import { type Decides, PolicySet } from '@postern/access'
import type { LoadedConfig } from '@postern/config'
import type { PolicyDesk } from '@postern/console'
import { readPolicies } from '@postern/runtime'

/** The policies in force and those in their file; undefined where the configuration names none. */
export function policyDesk(inForce: Decides | undefined, loaded: () => LoadedConfig): PolicyDesk | undefined {
  if (inForce === undefined) return undefined
  return {
    inForce: asPolicySet(inForce),
    onDisk: async () => {
      const { config, file } = loaded()
      const { policies } = config
      if (typeof policies !== 'string') return asPolicySet(policies ?? inForce)
      return asPolicySet(await readPolicies(resolve(file.folder, policies), file.place(['policies'])))
    },
  }
}

function asPolicySet(policies: Decides): PolicySet | undefined {
  return policies instanceof PolicySet ? policies : undefined
}
