import type { Rule } from '../rule/rule.ts'
import { actingCallRules } from './acting-calls.ts'
import { addressFormRules } from './address-forms.ts'
import { disguisedAddressRules } from './addresses-in-disguise.ts'
import { brokenOutRules } from './broken-out.ts'
import { codeRules } from './code.ts'
import { commandPlaceRules } from './command-places.ts'
import { commandProofRules } from './command-proofs.ts'
import { databaseProgramRules } from './database-programs.ts'
import { deviceValueRules } from './device-values.ts'
import { directoryAndMailRules } from './directory-and-mail.ts'
import { disguisedCommandRules } from './disguised-commands.ts'
import { embeddedCodeRules } from './embedded-code.ts'
import { evaluatedFormRules } from './evaluated-forms.ts'
import { exploitRules } from './exploits.ts'
import { fetchingXmlRules } from './fetching-xml.ts'
import { foreignLanguageRules } from './foreign-languages.ts'
import { foreignProgramRules } from './foreign-programs.ts'
import { foreignTagRules } from './foreign-tags.ts'
import { gadgetRules } from './gadgets.ts'
import { grantedRightRules } from './granted-rights.ts'
import { headerFormRules } from './header-forms.ts'
import { headerInjectionRules } from './header-injection.ts'
import { injectedDirectiveRules } from './injected-directives.ts'
import { injectedLineRules } from './injected-lines.ts'
import { interpolatedCallRules } from './interpolated-calls.ts'
import { javaRules } from './java.ts'
import { languageProgramRules } from './language-programs.ts'
import { managementRules } from './management.ts'
import { nosqlRules } from './nosql.ts'
import { objectRules } from './objects.ts'
import { operandFormRules } from './operand-forms.ts'
import { overflowRules } from './overflows.ts'
import { phpFormRules } from './php-forms.ts'
import { plainCommandRules } from './plain-commands.ts'
import { probeRules } from './probes.ts'
import { productPathRules } from './product-paths.ts'
import { programOptionRules } from './program-options.ts'
import { rceRules } from './rce.ts'
import { reachRules } from './reach.ts'
import { remoteCommandRules } from './remote-commands.ts'
import { runtimeReachRules } from './runtime-reach.ts'
import { serialisedObjectRules } from './serialised-objects.ts'
import { serverFileRules } from './server-files.ts'
import { sqlFormRules } from './sql-forms.ts'
import { sqlRules } from './sqli.ts'
import { stepFormRules } from './step-forms.ts'
import { structureRules } from './structure.ts'
import { templateRules } from './template.ts'
import { templateNameRules } from './template-names.ts'
import { traversalRules } from './traversal.ts'
import { windowsCommandRules } from './windows-commands.ts'
import { xpathRules } from './xpath.ts'
import { xssRules } from './xss.ts'
import { xssFormRules } from './xss-forms.ts'

/** All rules that ship with Postern. Each carries the values it must and must not find. */
export const ownRules: readonly Rule[] = [
  ...sqlRules,
  ...xssRules,
  ...xssFormRules,
  ...rceRules,
  ...traversalRules,
  ...templateRules,
  ...templateNameRules,
  ...codeRules,
  ...phpFormRules,
  ...javaRules,
  ...nosqlRules,
  ...xpathRules,
  ...directoryAndMailRules,
  ...structureRules,
  ...fetchingXmlRules,
  ...reachRules,
  ...probeRules,
  ...exploitRules,
  ...gadgetRules,
  ...objectRules,
  ...serialisedObjectRules,
  ...commandPlaceRules,
  ...commandProofRules,
  ...disguisedCommandRules,
  ...headerInjectionRules,
  ...sqlFormRules,
  ...databaseProgramRules,
  ...serverFileRules,
  ...overflowRules,
  ...headerFormRules,
  ...disguisedAddressRules,
  ...embeddedCodeRules,
  ...managementRules,
  ...languageProgramRules,
  ...productPathRules,
  ...remoteCommandRules,
  ...programOptionRules,
  ...injectedLineRules,
  ...injectedDirectiveRules,
  ...evaluatedFormRules,
  ...deviceValueRules,
  ...foreignProgramRules,
  ...foreignLanguageRules,
  ...runtimeReachRules,
  ...windowsCommandRules,
  ...interpolatedCallRules,
  ...addressFormRules,
  ...stepFormRules,
  ...grantedRightRules,
  ...operandFormRules,
  ...plainCommandRules,
  ...actingCallRules,
  ...brokenOutRules,
  ...foreignTagRules,
]
