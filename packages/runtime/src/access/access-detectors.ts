import { foreignRecordDetector } from '@postern/access/start'
import type { CompiledConfig } from '@postern/config'
import type { Detector } from '@postern/core'

/** What watches routes that serve records of somebody; where a thread watches at all. */
export function accessDetectors({ routes }: CompiledConfig): readonly Detector[] {
  return routes.guarded.size === 0 ? [] : [foreignRecordDetector()]
}
