/** What a mail can be about. */
export type LetterKind =
  | 'signIn'
  | 'signUp'
  | 'haveAccount'
  | 'reset'
  | 'changeEmail'
  | 'emailChanged'
  | 'passwordChanged'
  | 'factorChanged'
  | 'invitation'
