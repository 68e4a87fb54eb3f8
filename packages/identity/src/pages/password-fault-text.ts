import type { PasswordFault } from '../password/passwords.ts'
import type { Texts } from './language/texts.ts'

/** Why a new password is not taken, for people. */
export function passwordFaultText(fault: PasswordFault, texts: Texts): string {
  if (fault === 'too-short') return texts.passwordTooShort
  if (fault === 'too-long') return texts.passwordTooLong
  return fault === 'common' ? texts.passwordCommon : texts.passwordContainsAccount
}
