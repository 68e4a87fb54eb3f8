export { BEHAVIOUR_BOUNDS } from './behaviour/behaviour-bounds.ts'
export type { BehaviourOptions } from './behaviour/behaviour-options.ts'
export { type IdWalkOptions, idWalkDetector } from './behaviour/id-walk-detector.ts'
export { type SessionDriftOptions, sessionDriftDetector } from './behaviour/session-drift-detector.ts'
export { type Coordinates, type TravelOptions, travelDetector } from './behaviour/travel-detector.ts'
export { type VolumeOptions, volumeDetector } from './behaviour/volume-detector.ts'
export { RespondingRules, type ResponseBound } from './responding-rules.ts'
export { ruleFilesIn } from './rule-files.ts'
export type { Respond, ScenarioSummary } from './scenario.ts'
export { type CaseResult, testScenarioCases } from './scenario-cases.ts'
export {
  type ScenarioDetector,
  type ScenarioDetectorOptions,
  scenarioDetector,
} from './scenario-detector.ts'
export {
  checkScenarioNames,
  loadScenarioCases,
  loadScenarios,
  type ScenarioFiles,
  type ScenarioWatchOptions,
  watchScenarios,
} from './scenario-files.ts'
export { ScenarioSet, type ScenarioSource } from './scenario-set.ts'
